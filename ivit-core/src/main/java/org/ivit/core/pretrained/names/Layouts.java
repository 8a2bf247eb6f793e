package org.ivit.core.pretrained.names;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.ivit.core.InputException;
import org.ivit.core.tensor.Tensor;

/** Other layouts of the same numbers, of any dtype. */
final class Layouts {
  private Layouts() {}

  /** The same numbers in the same order. */
  static Tensor reshaped(Tensor tensor, long... shape) {
    return Tensor.view(tensor.dtype(), tensor.buffer(), shape);
  }

  /** With a 1 before the shape until it has as many dimensions. */
  static Tensor withDimensions(Tensor tensor, int dimensions) {
    long[] shape = tensor.shape();
    if (shape.length >= dimensions) {
      return tensor;
    }
    long[] longer = new long[dimensions];
    Arrays.fill(longer, 1);
    System.arraycopy(shape, 0, longer, dimensions - shape.length, shape.length);
    return reshaped(tensor, longer);
  }

  /**
   * Dimensions in another order.
   *
   * @param order of the new dimensions, by the old
   */
  static Tensor permuted(Tensor tensor, int... order) {
    long[] from = tensor.shape();
    long[] strides = new long[from.length];
    long stride = 1;
    for (int k = from.length - 1; k >= 0; k--) {
      strides[k] = stride;
      stride *= from[k];
    }
    long[] shape = new long[order.length];
    for (int k = 0; k < order.length; k++) {
      shape[k] = from[order[k]];
    }
    int size = tensor.dtype().size();
    ByteBuffer in = tensor.buffer();
    ByteBuffer out = ByteBuffer.allocate(in.remaining()).order(ByteOrder.LITTLE_ENDIAN);
    long[] index = new long[shape.length];
    long at = 0;
    for (int to = 0; to < out.capacity(); to += size) {
      out.put(to, in, (int) (at * size), size);
      for (int k = shape.length - 1; k >= 0; k--) {
        at += strides[order[k]];
        index[k]++;
        if (index[k] < shape[k]) {
          break;
        }
        at -= shape[k] * strides[order[k]];
        index[k] = 0;
      }
    }
    return Tensor.view(tensor.dtype(), out, shape);
  }

  /**
   * Tensors of one dtype and shape below each other: the first dimension is their sum.
   *
   * @param what names file and tensors in the message
   * @throws InputException if they cannot be joined
   */
  static Tensor stacked(String what, Tensor... tensors) {
    Tensor first = tensors[0];
    long[] shape = first.shape();
    long bytes = (long) tensors.length * first.buffer().remaining();
    if (shape.length == 0 || bytes > Integer.MAX_VALUE) {
      throw new InputException(what + ": cannot be joined");
    }
    ByteBuffer all = ByteBuffer.allocate((int) bytes).order(ByteOrder.LITTLE_ENDIAN);
    for (Tensor tensor : tensors) {
      all.put(tensor.buffer());
    }
    shape[0] *= tensors.length;
    return Tensor.view(first.dtype(), all.flip(), shape);
  }

  /** Zeros of the dtype and shape of another. */
  static Tensor zerosLike(Tensor tensor) {
    return Tensor.view(
        tensor.dtype(), ByteBuffer.allocate(tensor.buffer().remaining()), tensor.shape());
  }
}
