package org.ivit.djl.ndarray;

import ai.djl.ndarray.types.Shape;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * A part of an array, its axes in any order.
 *
 * @param offset of its first element, in elements
 * @param sizes of its axes
 * @param strides from one element of an axis to the next, in elements
 */
record Strided(int offset, int[] sizes, int[] strides) {
  /** The whole of an array. */
  static Strided of(int... sizes) {
    int[] strides = new int[sizes.length];
    int stride = 1;
    for (int i = sizes.length - 1; i >= 0; i--) {
      strides[i] = stride;
      stride = Math.multiplyExact(stride, sizes[i]);
    }
    return new Strided(0, sizes, strides);
  }

  /** Number of elements. */
  int length() {
    return Arrays.stream(sizes).reduce(1, Math::multiplyExact);
  }

  Shape shape() {
    return new Shape(Arrays.stream(sizes).asLongStream().toArray());
  }

  /**
   * The axes in another order.
   *
   * @param axes for each axis of the result, which it is here
   */
  Strided transposed(int... axes) {
    int[] newSizes = Arrays.stream(axes).map(axis -> sizes[axis]).toArray();
    int[] newStrides = Arrays.stream(axes).map(axis -> strides[axis]).toArray();
    return new Strided(offset, newSizes, newStrides);
  }

  /**
   * Every {@code step}-th index of each axis from {@code min} to before {@code max}, or to its end.
   *
   * @throws IndexOutOfBoundsException if an axis ends before {@code min}
   * @throws IllegalArgumentException if a step is below 1
   */
  Strided sliced(long[] min, long[] max, long[] step) {
    int[] newSizes = new int[sizes.length];
    int[] newStrides = new int[sizes.length];
    int newOffset = offset;
    for (int i = 0; i < sizes.length; i++) {
      if (step[i] < 1) {
        throw new IllegalArgumentException("step " + step[i] + ", expected at least 1");
      }
      if (min[i] < 0 || min[i] > sizes[i]) {
        throw new IndexOutOfBoundsException("index " + min[i] + " of an axis of " + sizes[i]);
      }
      long length = Math.max(0, Math.min(max[i], sizes[i]) - min[i]);
      newSizes[i] = (int) ((length + step[i] - 1) / step[i]);
      newStrides[i] = Math.toIntExact(strides[i] * step[i]);
      newOffset += (int) min[i] * strides[i];
    }
    return new Strided(newOffset, newSizes, newStrides);
  }

  /** The part of those sizes that begins at those indices; it must lie inside. */
  Strided part(int[] from, int[] partSizes) {
    int newOffset = offset;
    for (int i = 0; i < sizes.length; i++) {
      newOffset += from[i] * strides[i];
    }
    return new Strided(newOffset, partSizes, strides);
  }

  /** Copies this part of {@code from} to {@code to}, one element after the other. */
  void copy(ByteBuffer from, ByteBuffer to, int bytes) {
    walk(bytes, (here, there) -> to.put(there, from, here, bytes));
  }

  /** Copies the elements of {@code from}, one after the other, to this part of {@code to}. */
  void put(ByteBuffer from, ByteBuffer to, int bytes) {
    walk(bytes, (here, there) -> to.put(here, from, there, bytes));
  }

  private interface Element {
    /**
     * @param here position in the array that this is a part of
     * @param there position in its elements, one after the other
     */
    void at(int here, int there);
  }

  private void walk(int bytes, Element element) {
    int length = length();
    int[] index = new int[sizes.length];
    int here = offset;
    for (int i = 0; i < length; i++) {
      element.at(here * bytes, i * bytes);
      for (int axis = sizes.length - 1; axis >= 0; axis--) {
        here += strides[axis];
        if (++index[axis] < sizes[axis]) {
          break;
        }
        here -= sizes[axis] * strides[axis];
        index[axis] = 0;
      }
    }
  }
}
