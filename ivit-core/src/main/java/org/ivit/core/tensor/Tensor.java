package org.ivit.core.tensor;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Objects;
import java.util.function.Consumer;
import org.ivit.core.InputException;

/**
 * An immutable row-major array of numbers: a dtype, a shape (empty for a scalar) and little-endian
 * memory, on the heap or a mapped slice of a file.
 *
 * <p>The accessors return fresh arrays, {@link #sharedBytes} excepted. One that does not fit the
 * dtype throws an {@link InputException} that names the tensor, because dtypes come from files.
 */
public final class Tensor {
  private final String origin;
  private final DType dtype;
  private final long[] shape;
  private final ByteBuffer buffer;
  private final byte[] own;

  private Tensor(String origin, DType dtype, long[] shape, ByteBuffer buffer, byte[] own) {
    this.origin = origin;
    this.dtype = dtype;
    this.shape = shape;
    this.buffer = buffer;
    this.own = own;
  }

  /**
   * F32.
   *
   * @param values the elements, copied
   * @param shape their shape; nothing for a scalar
   */
  public static Tensor of(float[] values, long... shape) {
    return of(DType.F32, values.length, shape, memory -> memory.asFloatBuffer().put(values));
  }

  /** F64; see {@link #of(float[], long...)}. */
  public static Tensor of(double[] values, long... shape) {
    return of(DType.F64, values.length, shape, memory -> memory.asDoubleBuffer().put(values));
  }

  /** I64; see {@link #of(float[], long...)}. */
  public static Tensor of(long[] values, long... shape) {
    return of(DType.I64, values.length, shape, memory -> memory.asLongBuffer().put(values));
  }

  /** I32; see {@link #of(float[], long...)}. */
  public static Tensor of(int[] values, long... shape) {
    return of(DType.I32, values.length, shape, memory -> memory.asIntBuffer().put(values));
  }

  /** I16; see {@link #of(float[], long...)}. */
  public static Tensor of(short[] values, long... shape) {
    return of(DType.I16, values.length, shape, memory -> memory.asShortBuffer().put(values));
  }

  /** I8; see {@link #of(float[], long...)}. */
  public static Tensor of(byte[] values, long... shape) {
    return of(DType.I8, values.length, shape, memory -> memory.put(0, values));
  }

  /** U8; see {@link #of(float[], long...)}. */
  public static Tensor ofUnsigned(byte[] values, long... shape) {
    return of(DType.U8, values.length, shape, memory -> memory.put(0, values));
  }

  /**
   * A tensor over memory that already lies in little-endian order; the memory is not copied and
   * must not change afterwards.
   *
   * @param dtype the element type
   * @param memory from position to limit, the elements
   * @param shape their shape; nothing for a scalar
   */
  public static Tensor view(DType dtype, ByteBuffer memory, long... shape) {
    return view("tensor", dtype, memory, shape);
  }

  static Tensor view(String origin, DType dtype, ByteBuffer memory, long... shape) {
    Objects.requireNonNull(dtype, "dtype");
    if (memory.remaining() != elements(shape) * dtype.size()) {
      throw new IllegalArgumentException(
          "%d bytes for %s %s".formatted(memory.remaining(), dtype, Arrays.toString(shape)));
    }
    return new Tensor(origin, dtype, shape.clone(), memory.slice().asReadOnlyBuffer(), null);
  }

  /** A tensor that is the only one to have an array; the array must not change afterwards. */
  static Tensor owning(String origin, DType dtype, byte[] memory, long... shape) {
    ByteBuffer buffer = view(origin, dtype, ByteBuffer.wrap(memory), shape).buffer;
    return new Tensor(origin, dtype, shape.clone(), buffer, memory);
  }

  private static Tensor of(DType dtype, int length, long[] shape, Consumer<ByteBuffer> values) {
    if (elements(shape) != length) {
      throw new IllegalArgumentException(length + " values for shape " + Arrays.toString(shape));
    }
    int bytes = Math.multiplyExact(length, dtype.size());
    ByteBuffer memory = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    values.accept(memory);
    return view(dtype, memory, shape);
  }

  private static long elements(long[] shape) {
    long product = 1;
    for (long extent : shape) {
      if (extent < 0) {
        throw new IllegalArgumentException("negative extent in shape " + Arrays.toString(shape));
      }
      product = Math.multiplyExact(product, extent);
    }
    return product;
  }

  /** The element type. */
  public DType dtype() {
    return dtype;
  }

  /** A copy of the shape; empty for a scalar. */
  public long[] shape() {
    return shape.clone();
  }

  /** The number of elements: 1 for a scalar. */
  public int size() {
    return buffer.capacity() / dtype.size();
  }

  /** The elements, read-only and little-endian, from position 0. */
  public ByteBuffer buffer() {
    return buffer.duplicate().order(ByteOrder.LITTLE_ENDIAN);
  }

  /**
   * The elements of F32, or of F16 or BF16 widened exactly.
   *
   * @throws InputException if the dtype is another
   */
  public float[] floats() {
    float[] values = new float[size()];
    ByteBuffer memory = buffer();
    switch (dtype) {
      case F32 -> memory.asFloatBuffer().get(values);
      case F16 -> {
        for (int i = 0; i < values.length; i++) {
          values[i] = HalfPrecision.fromF16(memory.getShort(2 * i));
        }
      }
      case BF16 -> {
        for (int i = 0; i < values.length; i++) {
          values[i] = HalfPrecision.fromBf16(memory.getShort(2 * i));
        }
      }
      default -> throw mismatch(EnumSet.of(DType.F32, DType.F16, DType.BF16));
    }
    return values;
  }

  /**
   * The elements of F64, or of F32, F16 or BF16 widened exactly.
   *
   * @throws InputException if the dtype is another
   */
  public double[] doubles() {
    double[] values = new double[size()];
    switch (dtype) {
      case F64 -> buffer().asDoubleBuffer().get(values);
      case F32, F16, BF16 -> {
        float[] narrow = floats();
        for (int i = 0; i < values.length; i++) {
          values[i] = narrow[i];
        }
      }
      default -> throw mismatch(EnumSet.of(DType.F64, DType.F32, DType.F16, DType.BF16));
    }
    return values;
  }

  /**
   * The first element that is no finite number, or −1.
   *
   * @throws InputException if the dtype is not F64, F32, F16 or BF16
   */
  public int firstNotFinite() {
    ByteBuffer memory = buffer();
    int size = size();
    for (int i = 0; i < size; i++) {
      boolean finite =
          switch (dtype) {
            case F64 -> Double.isFinite(memory.getDouble(8 * i));
            case F32 -> Float.isFinite(memory.getFloat(4 * i));
            case F16 -> (memory.getShort(2 * i) & 0x7c00) != 0x7c00;
            case BF16 -> (memory.getShort(2 * i) & 0x7f80) != 0x7f80;
            default -> throw mismatch(EnumSet.of(DType.F64, DType.F32, DType.F16, DType.BF16));
          };
      if (!finite) {
        return i;
      }
    }
    return -1;
  }

  /**
   * The elements of I64, or of I32, I16, I8 or U8 widened.
   *
   * @throws InputException if the dtype is another
   */
  public long[] longs() {
    long[] values = new long[size()];
    switch (dtype) {
      case I64 -> buffer().asLongBuffer().get(values);
      case I32, I16, I8, U8 -> {
        int[] narrow = ints();
        for (int i = 0; i < values.length; i++) {
          values[i] = narrow[i];
        }
      }
      default -> throw mismatch(EnumSet.of(DType.I64, DType.I32, DType.I16, DType.I8, DType.U8));
    }
    return values;
  }

  /**
   * The elements of I32, or of I16, I8 or U8 widened.
   *
   * @throws InputException if the dtype is another
   */
  public int[] ints() {
    int[] values = new int[size()];
    ByteBuffer memory = buffer();
    switch (dtype) {
      case I32 -> memory.asIntBuffer().get(values);
      case I16 -> {
        for (int i = 0; i < values.length; i++) {
          values[i] = memory.getShort(2 * i);
        }
      }
      case I8 -> {
        for (int i = 0; i < values.length; i++) {
          values[i] = memory.get(i);
        }
      }
      case U8 -> {
        for (int i = 0; i < values.length; i++) {
          values[i] = Byte.toUnsignedInt(memory.get(i));
        }
      }
      default -> throw mismatch(EnumSet.of(DType.I32, DType.I16, DType.I8, DType.U8));
    }
    return values;
  }

  /**
   * The elements of I16, or of I8 or U8 widened.
   *
   * @throws InputException if the dtype is another
   */
  public short[] shorts() {
    short[] values = new short[size()];
    ByteBuffer memory = buffer();
    switch (dtype) {
      case I16 -> memory.asShortBuffer().get(values);
      case I8, U8 -> {
        int[] narrow = ints();
        for (int i = 0; i < values.length; i++) {
          values[i] = (short) narrow[i];
        }
      }
      default -> throw mismatch(EnumSet.of(DType.I16, DType.I8, DType.U8));
    }
    return values;
  }

  /**
   * The elements of I8, U8 or BOOL as they lie.
   *
   * @throws InputException if the dtype is another
   */
  public byte[] bytes() {
    if (dtype.size() != 1) {
      throw mismatch(EnumSet.of(DType.I8, DType.U8, DType.BOOL));
    }
    byte[] values = new byte[size()];
    buffer().get(values);
    return values;
  }

  /**
   * As {@link #bytes}, but not copied where the tensor has an array of its own, as those of {@link
   * Safetensors#readToHeap} have: not to be changed.
   */
  public byte[] sharedBytes() {
    return own != null && dtype.size() == 1 ? own : bytes();
  }

  private InputException mismatch(EnumSet<DType> expected) {
    return new InputException(
        "%s: dtype is %s, expected one of %s".formatted(origin, dtype, expected));
  }

  /** Same dtype, shape and bits. */
  @Override
  public boolean equals(Object other) {
    return other instanceof Tensor that
        && dtype == that.dtype
        && Arrays.equals(shape, that.shape)
        && buffer.equals(that.buffer);
  }

  @Override
  public int hashCode() {
    return Objects.hash(dtype, Arrays.hashCode(shape), buffer);
  }

  @Override
  public String toString() {
    return dtype + Arrays.toString(shape);
  }
}
