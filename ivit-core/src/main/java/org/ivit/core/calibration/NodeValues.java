package org.ivit.core.calibration;

import java.util.stream.IntStream;
import org.ivit.core.architecture.Node;
import org.ivit.core.arithmetic.OutlierChannels;

/**
 * One batch of a node's values before requantization, computed from the integers in float64 and
 * rounded to float32.
 *
 * @param node whose they are
 * @param values all values, [rows][channels]; not to be kept or changed
 * @param channels number of channels; 1 where channels mean nothing, as for scores
 * @param outliers channels that take no part in the range
 */
public record NodeValues(Node node, float[] values, int channels, OutlierChannels outliers) {

  /** Returns the values that take part in the range: all but those of the outlier channels. */
  public float[] included() {
    int left = channels - outliers.channels().length;
    if (left == channels) {
      return values;
    }
    int[] kept = IntStream.range(0, channels).filter(c -> !outliers.contains(c)).toArray();
    float[] included = new float[values.length / channels * left];
    int to = 0;
    for (int row = 0; row < values.length; row += channels) {
      for (int c : kept) {
        included[to++] = values[row + c];
      }
    }
    return included;
  }
}
