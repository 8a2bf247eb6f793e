package org.ivit.core.cuda;

/**
 * A matrix of bytes on the device, of which Hopper's tensor memory accelerator copies boxes of 128
 * bytes in the 128-byte swizzle; zeros where a box reaches beyond the matrix.
 *
 * @param address of its first byte, a multiple of 16
 * @param width bytes of a row
 * @param rows number of them
 * @param stride bytes from a row to the next, a multiple of 16
 * @param boxRows rows of a box, at most 256
 */
public record BoxedMatrix(long address, long width, long rows, long stride, int boxRows) {
  /** Bytes of a box along a row. */
  public static final int BOX_WIDTH = 128;

  /** Bytes that {@link Device#encode} makes. */
  public static final int ENCODED_BYTES = 128;
}
