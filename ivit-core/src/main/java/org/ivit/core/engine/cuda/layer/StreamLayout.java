package org.ivit.core.engine.cuda.layer;

/** The 16-bit codes that flow past the blocks: a token a row. */
public final class StreamLayout {
  private StreamLayout() {}

  /** Returns codes from one token to the next: whole pieces of 16 bytes. */
  public static int stride(int dim) {
    return ChannelOrder.roundUp(dim, 8);
  }

  /** Returns rows of {@code dim} codes at that stride. */
  public static short[] padded(short[] codes, int dim) {
    int rows = codes.length / dim;
    short[] padded = new short[rows * stride(dim)];
    for (int row = 0; row < rows; row++) {
      System.arraycopy(codes, row * dim, padded, row * stride(dim), dim);
    }
    return padded;
  }
}
