package org.ivit.core.tensor;

import org.ivit.core.InputException;

/** Bytes that reading a file may copy to the heap: what views and deflated data may not exceed. */
final class CopyBudget {
  private static final long CONSTANT = 16 << 20;

  private final long total;
  private long left;

  /**
   * @param fileSize in bytes
   * @param factor how many times of it may be copied
   */
  CopyBudget(long fileSize, long factor) {
    total = fileSize * factor + CONSTANT;
    left = total;
  }

  void take(String origin, long bytes) {
    if (bytes > left) {
      throw new InputException(
          "%s: expands to %d bytes, more than the %d left of %d for a file of this size"
              .formatted(origin, bytes, left, total));
    }
    left -= bytes;
  }
}
