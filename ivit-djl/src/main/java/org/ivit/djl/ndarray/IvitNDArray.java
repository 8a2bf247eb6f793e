package org.ivit.djl.ndarray;

import static org.ivit.djl.ndarray.UnsupportedOperations.unsupported;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrayAdapter;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.index.full.NDIndexFullSlice;
import ai.djl.ndarray.internal.NDArrayEx;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.function.DoubleBinaryOperator;
import java.util.stream.IntStream;

/**
 * An array on the heap. Its elements are never written, so arrays of another shape share them.
 * Arithmetic rounds to float32 after each operation, as the other engines' does.
 */
final class IvitNDArray extends NDArrayAdapter {
  private ByteBuffer elements;

  /**
   * @param elements in the machine's byte order, as many as the shape has; not written any more
   */
  IvitNDArray(NDManager manager, ByteBuffer elements, Shape shape, DataType dataType) {
    super(manager, UnsupportedOperations.MANAGER, shape, dataType, NDManager.nextUid());
    this.elements = elements.asReadOnlyBuffer().rewind().order(ByteOrder.nativeOrder());
    manager.attachInternal(uid, this);
    NDScope.register(this);
  }

  /** Room for elements on the heap, in the machine's byte order. */
  static ByteBuffer allocate(int size, DataType dataType) {
    return ByteBuffer.allocate(Math.multiplyExact(size, dataType.getNumOfBytes()))
        .order(ByteOrder.nativeOrder());
  }

  /** An array beside this one. */
  IvitNDArray of(ByteBuffer other, Shape otherShape, DataType otherType) {
    return new IvitNDArray(manager, other, otherShape, otherType);
  }

  /** A float32 array beside this one. */
  IvitNDArray of(float[] values, Shape otherShape) {
    ByteBuffer other = allocate(values.length, DataType.FLOAT32);
    other.asFloatBuffer().put(values);
    return of(other, otherShape, DataType.FLOAT32);
  }

  /** Returns the elements in the machine's byte order; they cannot be written. */
  @Override
  public ByteBuffer toByteBuffer(boolean tryDirect) {
    if (isClosed) {
      throw new IllegalStateException("the array is closed");
    }
    return elements.duplicate().order(ByteOrder.nativeOrder());
  }

  /**
   * The elements of a picture as float32.
   *
   * @param operation that asks, for the message
   * @throws UnsupportedOperationException unless they are float32 or uint8
   */
  float[] floats(String operation) {
    return switch (getDataType()) {
      case FLOAT32 -> toFloatArray();
      case UINT8 -> {
        ByteBuffer bytes = toByteBuffer();
        float[] values = new float[bytes.remaining()];
        for (int i = 0; i < values.length; i++) {
          values[i] = bytes.get(i) & 0xFF;
        }
        yield values;
      }
      default -> throw unsupported(operation + " of " + getDataType());
    };
  }

  /** The sizes, which a Java array can have. */
  int[] sizes() {
    return Arrays.stream(getShape().getShape()).mapToInt(Math::toIntExact).toArray();
  }

  @Override
  public void intern(NDArray replaced) {
    IvitNDArray other = (IvitNDArray) replaced;
    elements = other.elements;
    shape = other.shape;
    dataType = other.dataType;
    other.close();
  }

  @Override
  public void detach() {
    manager.detachInternal(getUid());
    manager = IvitNDManager.system();
  }

  @Override
  public void close() {
    super.close();
    elements = null;
  }

  @Override
  public NDArrayEx getNDArrayInternal() {
    return PictureOperations.of(this);
  }

  @Override
  public NDArray reshape(Shape newShape) {
    long[] sizes = newShape.getShape().clone();
    long known = Arrays.stream(sizes).filter(n -> n != -1).reduce(1, (a, b) -> a * b);
    for (int i = 0; i < sizes.length; i++) {
      if (sizes[i] == -1) {
        sizes[i] = known == 0 ? 0 : size() / known;
      }
    }
    Shape result = new Shape(sizes);
    if (result.size() != size()) {
      throw new IllegalArgumentException(
          "reshape: found %s for an array of %s".formatted(newShape, getShape()));
    }
    return of(toByteBuffer(), result, getDataType());
  }

  @Override
  public NDArray expandDims(int axis) {
    int dimensions = getShape().dimension();
    int at = axis < 0 ? axis + dimensions + 1 : axis;
    return reshape(getShape().slice(0, at).add(1).addAll(getShape().slice(at, dimensions)));
  }

  @Override
  public NDArray squeeze(int[] axes) {
    boolean[] gone = new boolean[getShape().dimension()];
    for (int axis : axes) {
      int at = axis(axis);
      if (getShape().get(at) != 1) {
        throw new IllegalArgumentException(
            "squeeze: axis %s of %s is not of size 1".formatted(axis, getShape()));
      }
      gone[at] = true;
    }
    return reshape(
        new Shape(
            IntStream.range(0, gone.length)
                .filter(i -> !gone[i])
                .mapToLong(getShape()::get)
                .toArray()));
  }

  @Override
  public NDArray flatten() {
    return reshape(new Shape(size()));
  }

  @Override
  public NDArray transpose() {
    int last = getShape().dimension() - 1;
    return transpose(IntStream.rangeClosed(0, last).map(i -> last - i).toArray());
  }

  @Override
  public NDArray transpose(int... axes) {
    int[] from = IntStream.of(axes).map(this::axis).toArray();
    if (!Arrays.equals(
        IntStream.of(from).sorted().toArray(),
        IntStream.range(0, getShape().dimension()).toArray())) {
      throw new IllegalArgumentException(
          "transpose: found axes %s for %s".formatted(Arrays.toString(axes), getShape()));
    }
    return strided(Strided.of(sizes()).transposed(from));
  }

  private NDArray strided(Strided view) {
    ByteBuffer out = allocate(view.length(), getDataType());
    view.copy(toByteBuffer(), out, getDataType().getNumOfBytes());
    return of(out, view.shape(), getDataType());
  }

  @Override
  public NDArray get(NDIndex index) {
    return get(getManager(), index);
  }

  /**
   * {@inheritDoc}
   *
   * @throws UnsupportedOperationException for an index that is not made of numbers and slices
   */
  @Override
  public NDArray get(NDManager target, NDIndex index) {
    NDIndexFullSlice slice =
        NDIndexFullSlice.fromIndex(index, getShape())
            .orElseThrow(() -> unsupported("get of other than numbers and slices"));
    NDArray part =
        strided(Strided.of(sizes()).sliced(slice.getMin(), slice.getMax(), slice.getStep()))
            .squeeze(slice.getToSqueeze());
    part.attach(target);
    return part;
  }

  @Override
  public NDList split(long sections, int axis) {
    long size = getShape().get(axis(axis));
    if (sections < 1 || size % sections != 0) {
      throw new IllegalArgumentException(
          "split: found %s parts of an axis of %s".formatted(sections, size));
    }
    long part = size / sections;
    long[] indices = new long[(int) sections - 1];
    Arrays.setAll(indices, i -> (i + 1) * part);
    return split(indices, axis);
  }

  @Override
  public NDList split(long[] indices, int axis) {
    int at = axis(axis);
    int dimensions = getShape().dimension();
    long[] step = new long[dimensions];
    Arrays.fill(step, 1);
    NDList parts = new NDList(indices.length + 1);
    for (int i = 0; i <= indices.length; i++) {
      long[] min = new long[dimensions];
      long[] max = getShape().getShape().clone();
      min[at] = i == 0 ? 0 : indices[i - 1];
      max[at] = i == indices.length ? max[at] : indices[i];
      parts.add(strided(Strided.of(sizes()).sliced(min, max, step)));
    }
    return parts;
  }

  /**
   * {@inheritDoc} Of float32 and uint8 arrays.
   *
   * @param padding numbers of elements before and after, the last axis first
   */
  @Override
  public NDArray pad(Shape padding, double value) {
    int[] sizes = sizes();
    int pairs = padding.dimension() / 2;
    if (padding.dimension() % 2 != 0 || pairs > sizes.length) {
      throw new IllegalArgumentException("pad: found %s for %s".formatted(padding, getShape()));
    }
    int[] before = new int[sizes.length];
    int[] padded = sizes.clone();
    for (int i = 0; i < pairs; i++) {
      int axis = sizes.length - 1 - i;
      before[axis] = Math.toIntExact(padding.get(2 * i));
      padded[axis] += before[axis] + Math.toIntExact(padding.get(2 * i + 1));
    }
    ByteBuffer element = allocate(1, getDataType());
    switch (getDataType()) {
      case FLOAT32 -> element.putFloat(0, (float) value);
      case UINT8 -> element.put(0, (byte) value);
      default -> throw unsupported("pad of " + getDataType());
    }
    Strided whole = Strided.of(padded);
    ByteBuffer out = allocate(whole.length(), getDataType());
    while (out.hasRemaining()) {
      out.put(element.duplicate());
    }
    whole.part(before, sizes).put(toByteBuffer(), out, getDataType().getNumOfBytes());
    return of(out, whole.shape(), getDataType());
  }

  @Override
  public NDArray add(Number n) {
    return arithmetic("add", n, (x, y) -> x + y);
  }

  @Override
  public NDArray sub(Number n) {
    return arithmetic("sub", n, (x, y) -> x - y);
  }

  @Override
  public NDArray mul(Number n) {
    return arithmetic("mul", n, (x, y) -> x * y);
  }

  @Override
  public NDArray div(Number n) {
    return map(floats("div"), n, (x, y) -> x / y);
  }

  private NDArray arithmetic(String operation, Number n, DoubleBinaryOperator operator) {
    if (getDataType() != DataType.FLOAT32) {
      throw unsupported(operation + " of " + getDataType());
    }
    return map(toFloatArray(), n, operator);
  }

  /** In float64 and rounded once, which is float32 arithmetic. */
  private NDArray map(float[] values, Number n, DoubleBinaryOperator operator) {
    float operand = n.floatValue();
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) operator.applyAsDouble(values[i], operand);
    }
    return of(values, getShape());
  }

  /** {@inheritDoc} Of float32 arrays; computed in float64 and rounded once. */
  @Override
  public NDArray softmax(int axis) {
    if (getDataType() != DataType.FLOAT32) {
      throw unsupported("softmax of " + getDataType());
    }
    int at = axis(axis);
    int length = Math.toIntExact(getShape().get(at));
    int stride = Math.toIntExact(getShape().slice(at + 1).size());
    float[] values = toFloatArray();
    for (int i = 0; i < values.length; i++) {
      if (i / stride % length == 0) {
        softmax(values, i, stride, length);
      }
    }
    return of(values, getShape());
  }

  private static void softmax(float[] values, int from, int stride, int length) {
    float max = Float.NEGATIVE_INFINITY;
    for (int i = 0; i < length; i++) {
      max = Math.max(max, values[from + i * stride]);
    }
    double[] exponentials = new double[length];
    double sum = 0;
    for (int i = 0; i < length; i++) {
      exponentials[i] = Math.exp((double) values[from + i * stride] - max);
      sum += exponentials[i];
    }
    for (int i = 0; i < length; i++) {
      values[from + i * stride] = (float) (exponentials[i] / sum);
    }
  }

  /** An axis, counted from the end where it is negative. */
  private int axis(int axis) {
    int dimensions = getShape().dimension();
    if (axis < -dimensions || axis >= dimensions) {
      throw new IllegalArgumentException("axis %s of %s".formatted(axis, getShape()));
    }
    return axis < 0 ? axis + dimensions : axis;
  }
}
