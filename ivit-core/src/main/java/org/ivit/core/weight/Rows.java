package org.ivit.core.weight;

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
}
