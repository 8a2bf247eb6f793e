package org.ivit.train.nd4j;

import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.ivit.train.memory.RealType;
import org.ivit.train.memory.Reals;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The one place where the memory of ND4J's arrays is reached. It is always the processor's: where
 * ND4J keeps an array on a GPU too, the processor's copy is brought up to date before it is handed
 * out, and is the array's newest one once it was written.
 */
public final class NdMemory {
  private static HostCopies hostCopies = new Nd4jHostCopies();

  private NdMemory() {}

  /** Has others stand in for ND4J, for tests. Returns those that did before. */
  static HostCopies replaceHostCopies(HostCopies others) {
    HostCopies before = hostCopies;
    hostCopies = others;
    return before;
  }

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
   * The memory of an array that is one run of numbers, as a vector that must only be read, until
   * ND4J next computes with the array. The array must outlive the result.
   */
  public static Reals read(INDArray array) {
    hostCopies.makeCurrent(array);
    return view(array);
  }

  /** Begins to write to arrays. */
  public static Writes writes() {
    return new Writes();
  }

  /**
   * Arrays that are written before it is closed, by this thread or by others that it waits for.
   * ND4J must not compute with them in between.
   */
  public static final class Writes implements AutoCloseable {
    private final List<INDArray> written = new ArrayList<>();

    private Writes() {}

    /**
     * The memory of an array that is one run of numbers, as a vector that may be read and written.
     * Where only a part is written, or the array is a view of a larger one, the rest stays as it
     * is. The array must outlive the result.
     */
    public Reals to(INDArray array) {
      hostCopies.makeCurrent(array);
      written.add(array);
      return view(array);
    }

    @Override
    public void close() {
      written.forEach(hostCopies::markNewest);
    }
  }

  private static Reals view(INDArray array) {
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
