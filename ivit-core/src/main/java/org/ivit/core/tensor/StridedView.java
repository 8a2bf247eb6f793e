package org.ivit.core.tensor;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.ivit.core.InputException;
import org.ivit.core.MessageText;

/**
 * A view of a storage: element {@code i} of it lies at {@code offset + Σ i_k · strides_k}.
 *
 * @param dtype element type
 * @param offset of the first element, in elements
 * @param shape extents
 * @param strides in elements, not negative
 */
record StridedView(DType dtype, long offset, long[] shape, long[] strides) {
  private static final int MOST_DIMENSIONS = 64;

  /**
   * Makes the tensor: a slice where the view is contiguous, a gathered copy otherwise.
   *
   * @param origin names file and tensor
   * @param budget of bytes that may be gathered
   * @throws InputException if the view leaves its storage
   */
  Tensor of(String origin, ByteBuffer storage, CopyBudget budget) {
    long elements = checked(origin, storage.remaining() / dtype.size());
    long bytes = elements * dtype.size();
    if (elements == 0 || contiguous()) {
      int begin = elements == 0 ? 0 : (int) (offset * dtype.size());
      ByteBuffer part = storage.slice(begin, (int) bytes);
      return Tensor.view(origin, dtype, part.order(ByteOrder.LITTLE_ENDIAN), shape);
    }
    budget.take(origin, bytes);
    return Tensor.view(origin, dtype, gather(storage, (int) bytes), shape);
  }

  static long[] contiguousStrides(long[] shape) {
    long[] strides = new long[shape.length];
    long stride = 1;
    for (int k = shape.length - 1; k >= 0; k--) {
      strides[k] = stride;
      stride *= Math.max(1, shape[k]);
    }
    return strides;
  }

  private long checked(String origin, long available) {
    if (shape.length != strides.length || shape.length > MOST_DIMENSIONS) {
      throw new InputException(
          "%s: has %d extents and %d strides, expected as many, at most %d"
              .formatted(origin, shape.length, strides.length, MOST_DIMENSIONS));
    }
    try {
      long elements = 1;
      long last = offset;
      boolean negative = offset < 0;
      for (int k = 0; k < shape.length; k++) {
        negative |= shape[k] < 0 || strides[k] < 0;
        elements = Math.multiplyExact(elements, shape[k]);
        last = Math.addExact(last, Math.multiplyExact(shape[k] - 1, strides[k]));
      }
      if (!negative && elements == 0) {
        return 0;
      }
      boolean fits = elements <= Integer.MAX_VALUE / dtype.size();
      if (!negative && fits && last < available) {
        return elements;
      }
    } catch (ArithmeticException e) {
      throw outside(origin, available, e);
    }
    throw outside(origin, available, null);
  }

  private InputException outside(String origin, long available, ArithmeticException cause) {
    return new InputException(
        "%s: offset %d, shape %s, strides %s leave its storage of %d elements"
            .formatted(
                origin,
                offset,
                MessageText.line(Arrays.toString(shape)),
                MessageText.line(Arrays.toString(strides)),
                available),
        cause);
  }

  private boolean contiguous() {
    long stride = 1;
    for (int k = shape.length - 1; k >= 0; k--) {
      if (shape[k] != 1 && strides[k] != stride) {
        return false;
      }
      stride *= shape[k];
    }
    return true;
  }

  private ByteBuffer gather(ByteBuffer storage, int bytes) {
    ByteBuffer gathered = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int size = dtype.size();
    int base = storage.position();
    long[] index = new long[shape.length];
    long at = offset;
    while (gathered.hasRemaining()) {
      gathered.put(gathered.position(), storage, base + (int) (at * size), size);
      gathered.position(gathered.position() + size);
      for (int k = shape.length - 1; k >= 0; k--) {
        at += strides[k];
        index[k]++;
        if (index[k] < shape[k]) {
          break;
        }
        at -= shape[k] * strides[k];
        index[k] = 0;
      }
    }
    return gathered.rewind();
  }
}
