package org.ivit.djl.ndarray;

import static org.ivit.djl.ndarray.UnsupportedOperations.unsupported;

import ai.djl.modality.cv.Image;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.internal.NDArrayEx;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * What DJL's transforms and batchifiers ask of an array, as its PyTorch engine answers: methods of
 * {@link NDArrayEx}, by name and parameters. A proxy refuses its many other methods by name.
 */
final class PictureOperations {
  /** As DJL numbers them. */
  private static final List<Image.Interpolation> INTERPOLATIONS =
      List.of(
          Image.Interpolation.NEAREST,
          Image.Interpolation.BILINEAR,
          Image.Interpolation.AREA,
          Image.Interpolation.BICUBIC);

  private final IvitNDArray array;

  private PictureOperations(IvitNDArray array) {
    this.array = array;
  }

  static NDArrayEx of(IvitNDArray array) {
    PictureOperations operations = new PictureOperations(array);
    return (NDArrayEx)
        Proxy.newProxyInstance(
            NDArrayEx.class.getClassLoader(), new Class<?>[] {NDArrayEx.class}, operations::invoke);
  }

  private Object invoke(Object proxy, Method method, Object[] arguments) throws Throwable {
    Method own;
    try {
      own = PictureOperations.class.getDeclaredMethod(method.getName(), method.getParameterTypes());
    } catch (NoSuchMethodException e) {
      if (method.isDefault()) {
        return InvocationHandler.invokeDefault(proxy, method, arguments);
      }
      throw unsupported(method.getName());
    }
    try {
      return own.invoke(this, arguments);
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }

  NDArray getArray() {
    return array;
  }

  /** Pixels 0…255, [height][width][channels] or a batch of them, as 0…1, channels first. */
  NDArray toTensor() {
    float[] values = array.floats("toTensor");
    for (int i = 0; i < values.length; i++) {
      values[i] /= 255f;
    }
    NDArray unit = array.of(values, array.getShape());
    return array.getShape().dimension() == 3 ? unit.transpose(2, 0, 1) : unit.transpose(0, 3, 1, 2);
  }

  /** {@code (x − mean[c]) / std[c]} in float32; channels lie before height and width. */
  NDArray normalize(float[] mean, float[] std) {
    int[] sizes = array.sizes();
    int channels = sizes[sizes.length - 3];
    if (mean.length != channels || std.length != channels) {
      throw new IllegalArgumentException(
          "normalize: found %s means and %s standard deviations for %s channels"
              .formatted(mean.length, std.length, channels));
    }
    int pixels = sizes[sizes.length - 2] * sizes[sizes.length - 1];
    float[] values = array.floats("normalize");
    for (int i = 0; i < values.length; i++) {
      int c = i / pixels % channels;
      values[i] -= mean[c];
      values[i] /= std[c];
    }
    return array.of(values, array.getShape());
  }

  /** The rectangle of [height][width][channels], or of a batch of them, that lies inside. */
  NDArray crop(int x, int y, int width, int height) {
    String rows = "%d:%d,%d:%d".formatted(y, y + height, x, x + width);
    return array.get(array.getShape().dimension() == 4 ? ":," + rows : rows);
  }

  /**
   * Another size of [height][width][channels], or of a batch of them.
   *
   * @param interpolation the number of an {@link Image.Interpolation}
   */
  NDArray resize(int width, int height, int interpolation) {
    int[] sizes = array.sizes();
    if (sizes.length < 3 || array.isEmpty()) {
      throw new IllegalArgumentException(
          "resize: found %s, expected (height, width, channels)".formatted(array.getShape()));
    }
    int axis = sizes.length - 3;
    int oldHeight = sizes[axis];
    int oldWidth = sizes[axis + 1];
    int channels = sizes[axis + 2];
    Image.Interpolation filter = INTERPOLATIONS.get(interpolation);
    Resize resize =
        new Resize(
            ResizeWeights.of(filter, oldHeight, height),
            ResizeWeights.of(filter, oldWidth, width),
            channels);
    Shape shape = array.getShape().slice(0, axis).addAll(new Shape(height, width, channels));
    float[] from = array.floats("resize");
    float[] values = new float[Math.toIntExact(shape.size())];
    int pictures = axis == 0 ? 1 : sizes[0];
    for (int n = 0; n < pictures; n++) {
      int offset = n * oldHeight * oldWidth * channels;
      resize.apply(from, offset, oldHeight, oldWidth, values, n * height * width * channels);
    }
    return array.getDataType() == DataType.UINT8
        ? array.of(bytes(values), shape, DataType.UINT8)
        : array.of(values, shape);
  }

  /**
   * Rounded towards zero, as DJL's PyTorch engine does. Saturated to 0…255: there values beyond
   * wrap around.
   */
  private static ByteBuffer bytes(float[] values) {
    ByteBuffer bytes = IvitNDArray.allocate(values.length, DataType.UINT8);
    for (int i = 0; i < values.length; i++) {
      bytes.put(i, (byte) Math.max(0, Math.min(255, (int) values[i])));
    }
    return bytes;
  }

  /** Arrays of one shape and type, this one first, along a new axis. */
  NDArray stack(NDList others, int axis) {
    NDList expanded = new NDList(others.size());
    for (NDArray other : others) {
      if (!other.getShape().equals(array.getShape())) {
        throw new IllegalArgumentException(
            "stack: found %s beside %s".formatted(other.getShape(), array.getShape()));
      }
      expanded.add(other.expandDims(axis));
    }
    return array.expandDims(axis).getNDArrayInternal().concat(expanded, axis);
  }

  /** Arrays of one type that are equal in their other axes, this one first. */
  NDArray concat(NDList others, int axis) {
    List<IvitNDArray> parts = new ArrayList<>();
    parts.add(array);
    others.forEach(other -> parts.add(IvitNDManager.system().from(other)));
    int at = axis < 0 ? axis + array.getShape().dimension() : axis;
    long length = 0;
    for (IvitNDArray part : parts) {
      Shape fitting = Shape.update(array.getShape(), at, part.getShape().get(at));
      if (!part.getShape().equals(fitting) || part.getDataType() != array.getDataType()) {
        throw new IllegalArgumentException(
            "concat: found %s %s beside %s %s"
                .formatted(
                    part.getDataType(), part.getShape(), array.getDataType(), array.getShape()));
      }
      length += part.getShape().get(at);
    }
    Shape shape = Shape.update(array.getShape(), at, length);
    ByteBuffer out = IvitNDArray.allocate(Math.toIntExact(shape.size()), array.getDataType());
    int outer = Math.toIntExact(array.getShape().slice(0, at).size());
    List<ByteBuffer> from = parts.stream().map(IvitNDArray::toByteBuffer).toList();
    for (int row = 0; row < outer; row++) {
      for (ByteBuffer part : from) {
        int bytes = part.capacity() / outer;
        out.put(part.slice(row * bytes, bytes));
      }
    }
    return array.of(out, shape, array.getDataType());
  }
}
