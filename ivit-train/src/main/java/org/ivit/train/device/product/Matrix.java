package org.ivit.train.device.product;

/**
 * A matrix on the device, or one a group and head.
 *
 * @param address of the first
 * @param groupStride elements from group to group
 * @param headStride elements from head to head
 * @param rowStride elements from row to row
 */
public record Matrix(long address, long groupStride, long headStride, long rowStride) {
  /** A single matrix. */
  public static Matrix of(long address, long rowStride) {
    return new Matrix(address, 0, 0, rowStride);
  }

  /**
   * Whether so many neighbours from the begin of every row are aligned to their size.
   *
   * @param count a power of 2
   * @param bytes of an element
   */
  boolean aligned(int count, int bytes) {
    return address % ((long) count * bytes) == 0
        && (groupStride | headStride | rowStride) % count == 0;
  }
}
