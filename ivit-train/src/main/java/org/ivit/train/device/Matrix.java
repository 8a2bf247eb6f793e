package org.ivit.train.device;

/**
 * A matrix on the device, or one a group and head.
 *
 * @param address of the first
 * @param groupStride elements from group to group
 * @param headStride elements from head to head
 * @param rowStride elements from row to row
 */
record Matrix(long address, long groupStride, long headStride, long rowStride) {
  /** A single matrix. */
  static Matrix of(long address, long rowStride) {
    return new Matrix(address, 0, 0, rowStride);
  }
}
