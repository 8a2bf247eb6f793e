package org.ivit.core.weight;

import java.util.Arrays;

/** Rows of a matrix of bytes. */
final class Rows {
  private Rows() {}

  /**
   * @param matrix [rows][size]
   * @param order for each row of the answer its number in the matrix
   */
  static byte[] of(byte[] matrix, int size, int[] order) {
    byte[] ordered = new byte[Math.multiplyExact(order.length, size)];
    for (int i = 0; i < order.length; i++) {
      System.arraycopy(matrix, order[i] * size, ordered, i * size, size);
    }
    return ordered;
  }

  /** Rows of one matrix, then those of another as wide. */
  static byte[] joined(byte[] first, byte[] second) {
    byte[] both = Arrays.copyOf(first, Math.addExact(first.length, second.length));
    System.arraycopy(second, 0, both, first.length, second.length);
    return both;
  }
}
