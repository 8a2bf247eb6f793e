package org.ivit.train.ptq;

import java.util.Collections;
import java.util.EnumSet;
import java.util.Set;
import java.util.SortedMap;
import java.util.concurrent.ConcurrentSkipListMap;
import org.ivit.core.architecture.NodeKind;
import org.ivit.core.calibration.NodeObserver;
import org.ivit.core.calibration.NodeValues;
import org.ivit.core.scheme.Range;

/**
 * The first calibration pass: keeps the largest absolute value of every channel of the nodes that
 * may have outlier channels and of those that are equalized, and leaves the ranges to another
 * observer. Different nodes may be observed at once.
 */
public final class ChannelMaxima implements NodeObserver {
  /** What attention reads, and the values of gated MLPs. */
  private static final Set<NodeKind> EQUALIZED =
      EnumSet.of(NodeKind.QKV, NodeKind.ROTATED, NodeKind.VALUE);

  private final NodeObserver ranges;
  private final SortedMap<String, float[]> largest = new ConcurrentSkipListMap<>();

  /**
   * @param ranges answers with the ranges of this pass
   */
  public ChannelMaxima(NodeObserver ranges) {
    this.ranges = ranges;
  }

  @Override
  public Range observe(NodeValues values) {
    NodeKind kind = values.node().kind();
    if (kind.mayHaveOutliers() || EQUALIZED.contains(kind)) {
      float[] maxima =
          largest.computeIfAbsent(values.node().name(), node -> new float[values.channels()]);
      float[] x = values.values();
      for (int row = 0; row < x.length; row += maxima.length) {
        for (int c = 0; c < maxima.length; c++) {
          maxima[c] = Math.max(maxima[c], Math.abs(x[row + c]));
        }
      }
    }
    return ranges.observe(values);
  }

  /** Largest absolute value by node and channel. */
  public SortedMap<String, float[]> largest() {
    return Collections.unmodifiableSortedMap(largest);
  }
}
