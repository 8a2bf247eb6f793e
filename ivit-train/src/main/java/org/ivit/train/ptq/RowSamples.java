package org.ivit.train.ptq;

import java.util.Arrays;
import java.util.Collections;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentSkipListMap;
import org.ivit.core.architecture.NodeKind;
import org.ivit.core.calibration.NodeObserver;
import org.ivit.core.calibration.NodeValues;
import org.ivit.core.scheme.Range;

/**
 * A calibration pass that keeps some rows of the nodes that may have outlier channels and of gates
 * and what they gate, and the largest absolute value of each of their channels over all rows.
 * Ranges are left to another observer. Rows are drawn at random, by a fixed seed: an even step
 * would pass over the same tokens of every picture, and a few tokens hold the largest values. Of
 * nodes with as many rows they are the same. Different nodes may be observed at once.
 */
final class RowSamples implements NodeObserver {
  private final NodeObserver ranges;
  private final int rowsPerBatch;
  private final SortedMap<String, Sample> samples = new ConcurrentSkipListMap<>();

  /**
   * @param ranges answers with the ranges of this pass
   * @param rowsPerBatch rows of a node to keep from a batch, all where it has fewer
   */
  RowSamples(NodeObserver ranges, int rowsPerBatch) {
    this.ranges = ranges;
    this.rowsPerBatch = rowsPerBatch;
  }

  /** Rows of one node. */
  static final class Sample {
    private final SplittableRandom random = new SplittableRandom(0);
    private final float[] largest;
    private float[] rows = {};

    private Sample(int channels) {
      this.largest = new float[channels];
    }

    private void add(float[] values, int keep) {
      int width = largest.length;
      for (int i = 0; i < values.length; i++) {
        largest[i % width] = Math.max(largest[i % width], Math.abs(values[i]));
      }
      int left = values.length / width;
      int wanted = Math.min(left, keep);
      int at = rows.length;
      rows = Arrays.copyOf(rows, at + wanted * width);
      for (int row = 0; wanted > 0; row++, left--) {
        if (random.nextInt(left) < wanted) {
          System.arraycopy(values, row * width, rows, at, width);
          at += width;
          wanted--;
        }
      }
    }

    /** Number of channels. */
    int channels() {
      return largest.length;
    }

    /** The rows, [rows][channels]; not to be changed. */
    float[] rows() {
      return rows;
    }

    /** Largest absolute value of each channel over all rows, kept or not; not to be changed. */
    float[] largest() {
      return largest;
    }
  }

  @Override
  public Range observe(NodeValues values) {
    NodeKind kind = values.node().kind();
    if (kind.mayHaveOutliers() || kind == NodeKind.GATE || kind == NodeKind.VALUE) {
      samples
          .computeIfAbsent(values.node().name(), node -> new Sample(values.channels()))
          .add(values.values(), rowsPerBatch);
    }
    return ranges.observe(values);
  }

  /** The samples by full node name. */
  SortedMap<String, Sample> samples() {
    return Collections.unmodifiableSortedMap(samples);
  }
}
