package org.ivit.train.memory;

/** How a {@link Reals} stores a number. */
public enum RealType {
  /** IEEE single precision, 4 bytes. */
  FLOAT32(4, 1L << 24),
  /** IEEE double precision, 8 bytes. */
  FLOAT64(8, 1L << 53);

  private final int bytes;
  private final long exactIntegers;

  RealType(int bytes, long exactIntegers) {
    this.bytes = bytes;
    this.exactIntegers = exactIntegers;
  }

  /** Bytes of a number. */
  public int bytes() {
    return bytes;
  }

  /** All integers up to this magnitude are represented exactly: 2^24 or 2^53. */
  public long exactIntegers() {
    return exactIntegers;
  }
}
