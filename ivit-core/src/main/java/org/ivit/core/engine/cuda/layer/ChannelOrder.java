package org.ivit.core.engine.cuda.layer;

import java.util.Arrays;
import org.ivit.core.arithmetic.OutlierChannels;

/**
 * How the channels of codes that feed a linear layer lie in a row: outlier channels first, padded
 * to whole steps of 32, then the others as far from each other as in the graph, so that groups of
 * weights stay together, padded to whole stages of 64. Producers write them so.
 */
public final class ChannelOrder {
  /** Channels to which outlier channels are padded. */
  static final int STEP = 32;

  private static final int STAGE = 64;

  private final int channels;
  private final OutlierChannels outliers;
  private final int[] source;

  /**
   * @param channels number of channels
   * @param outliers of the node
   */
  public ChannelOrder(int channels, OutlierChannels outliers) {
    this.channels = channels;
    this.outliers = outliers;
    int rest = steps() * STEP;
    source = new int[roundUp(rest + channels, STAGE)];
    Arrays.fill(source, -1);
    System.arraycopy(outliers.channels(), 0, source, 0, outliers.channels().length);
    for (int c = 0; c < channels; c++) {
      if (!outliers.contains(c)) {
        source[rest + c] = c;
      }
    }
  }

  /** Returns {@code n} or the next multiple. */
  public static int roundUp(int n, int multiple) {
    return Math.multiplyExact((n + multiple - 1) / multiple, multiple);
  }

  /** Returns whether the channels lie as in the graph, but for the padding at the end. */
  public boolean natural() {
    return outliers.isEmpty();
  }

  /** Returns bytes of a row. */
  public int length() {
    return source.length;
  }

  /** Returns steps of 32 that hold the outlier channels. */
  public int steps() {
    return (outliers.channels().length + STEP - 1) / STEP;
  }

  /** Returns the outlier channels. */
  public OutlierChannels outliers() {
    return outliers;
  }

  /** Returns the channel at each place, -1 in the padding; not to be changed. */
  public int[] source() {
    return source;
  }

  /** Returns the place of each channel. */
  public int[] places() {
    int[] places = new int[channels];
    for (int i = 0; i < source.length; i++) {
      if (source[i] >= 0) {
        places[source[i]] = i;
      }
    }
    return places;
  }
}
