package org.ivit.train.operator;

import org.ivit.core.arithmetic.OutlierChannels;

/** The channels that take part in a node's range, as runs between its outlier channels. */
public final class ChannelRuns {
  private final int[] from;
  private final int[] to;

  /**
   * @param channels number of channels
   * @param outliers those that are left out
   */
  public ChannelRuns(int channels, OutlierChannels outliers) {
    int[] out = outliers.channels();
    from = new int[out.length + 1];
    to = new int[out.length + 1];
    for (int i = 0; i < out.length; i++) {
      to[i] = out[i];
      from[i + 1] = out[i] + 1;
    }
    to[out.length] = channels;
  }

  /** Number of runs; some may be empty. */
  public int count() {
    return from.length;
  }

  /** First channel of a run. */
  public int from(int run) {
    return from[run];
  }

  /** Channel after the last of a run. */
  public int to(int run) {
    return to[run];
  }
}
