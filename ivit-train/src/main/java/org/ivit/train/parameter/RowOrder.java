package org.ivit.train.parameter;

import org.ivit.train.memory.Reals;

/**
 * An order of the rows of each picture: row i of the ordered picture is row {@code order[i]} of the
 * picture.
 */
public final class RowOrder {
  private final int[] order;

  public RowOrder(int[] order) {
    this.order = order;
  }

  /** Rows {@code from} the pictures, from {@code fromAt}, to their order. */
  public void apply(Reals from, int fromAt, Reals to, int pictures, int channels) {
    for (int row = 0; row < pictures * order.length; row++) {
      to.put(row * channels, from, fromAt + source(row) * channels, channels);
    }
  }

  /** As {@link #apply(Reals, int, Reals, int, int)}, of codes. */
  public void apply(byte[] from, byte[] to, int pictures, int channels) {
    for (int row = 0; row < pictures * order.length; row++) {
      System.arraycopy(from, source(row) * channels, to, row * channels, channels);
    }
  }

  /** As {@link #apply(Reals, int, Reals, int, int)}, of codes. */
  public void apply(short[] from, short[] to, int pictures, int channels) {
    for (int row = 0; row < pictures * order.length; row++) {
      System.arraycopy(from, source(row) * channels, to, row * channels, channels);
    }
  }

  /** Ordered rows back to the pictures, to {@code toAt}. */
  public void undo(Reals from, Reals to, int toAt, int pictures, int channels) {
    for (int row = 0; row < pictures * order.length; row++) {
      to.put(toAt + source(row) * channels, from, row * channels, channels);
    }
  }

  /** As {@link #undo(Reals, Reals, int, int, int)}, of codes. */
  public void undo(short[] from, short[] to, int pictures, int channels) {
    for (int row = 0; row < pictures * order.length; row++) {
      System.arraycopy(from, row * channels, to, source(row) * channels, channels);
    }
  }

  private int source(int row) {
    return row - row % order.length + order[row % order.length];
  }
}
