package org.ivit.train.layer;

import java.nio.ByteOrder;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.ivit.train.operator.RealType;
import org.ivit.train.operator.Reals;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The one place where the memory of ND4J's arrays is reached. */
public final class NdMemory {
  private NdMemory() {}

  /**
   * The number type of an ND4J type.
   *
   * @throws IllegalArgumentException for anything but FLOAT and DOUBLE
   */
  public static RealType realType(DataType type) {
    return switch (type) {
      case FLOAT -> RealType.FLOAT32;
      case DOUBLE -> RealType.FLOAT64;
      default ->
          throw new IllegalArgumentException("data type " + type + ", expected FLOAT or DOUBLE");
    };
  }

  /**
   * An array whose memory is one row-major run of numbers of the given type: the array itself where
   * it is one already.
   */
  public static INDArray rowMajor(INDArray array, DataType type) {
    INDArray typed = array.dataType() == type ? array : array.castTo(type);
    boolean run = typed.ordering() == 'c' && typed.elementWiseStride() == 1;
    return run ? typed : typed.dup('c');
  }

  /**
   * The memory of an array that is one run of numbers, as a vector. The array must outlive the
   * result.
   */
  public static Reals view(INDArray array) {
    RealType type = realType(array.dataType());
    // addressPointer, unlike address, honours the offset of a view.
    Pointer start = array.data().addressPointer();
    long bytes = array.length() * type.bytes();
    java.nio.ByteBuffer memory =
        new BytePointer(start)
            .position(0)
            .capacity(bytes)
            .asByteBuffer()
            .order(ByteOrder.nativeOrder());
    return type == RealType.FLOAT32
        ? Reals.view(memory.asFloatBuffer())
        : Reals.view(memory.asDoubleBuffer());
  }
}
