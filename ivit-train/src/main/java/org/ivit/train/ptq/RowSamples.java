package org.ivit.train.ptq;

import java.util.Arrays;
import java.util.BitSet;
import java.util.Collections;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.IntPredicate;
import org.ivit.core.architecture.NodeKind;
import org.ivit.core.calibration.NodeObserver;
import org.ivit.core.calibration.NodeValues;
import org.ivit.core.scheme.Range;

/**
 * A calibration pass that keeps some rows of the nodes that may have outlier channels and of gates
 * and what they gate, and the largest absolute value of each of their channels over all rows.
 * Ranges are left to another observer. Of the rows of tokens that the answer reads and of all
 * others, some each are drawn at random, by a fixed seed: an even step would pass over the same
 * tokens of every picture, and a few tokens hold the largest values. Of nodes with as many rows
 * they are the same. Different nodes may be observed at once.
 */
final class RowSamples implements NodeObserver {
  private final NodeObserver ranges;
  private final int rowsPerBatch;
  private final ReadTokens read;
  private final SortedMap<String, Sample> samples = new ConcurrentSkipListMap<>();

  /**
   * @param ranges answers with the ranges of this pass
   * @param rowsPerBatch rows of a node to keep from a batch, so many that the answer reads and so
   *     many others; all where there are fewer
   * @param read which rows the answer reads
   */
  RowSamples(NodeObserver ranges, int rowsPerBatch, ReadTokens read) {
    this.ranges = ranges;
    this.rowsPerBatch = rowsPerBatch;
    this.read = read;
  }

  /** Rows of one node. */
  static final class Sample {
    private final SplittableRandom random = new SplittableRandom(0);
    private final float[] largest;
    private final float[] largestRead;
    private final BitSet isRead = new BitSet();
    private float[] rows = {};

    /** Whether large values below 0 count as those above. */
    private final boolean symmetric;

    private Sample(int channels, NodeKind kind) {
      this.symmetric = kind != NodeKind.HIDDEN && kind != NodeKind.ACTIVATION;
      this.largest = new float[channels];
      this.largestRead = new float[channels];
    }

    private void add(float[] values, int keep, IntPredicate read) {
      int width = largest.length;
      int count = values.length / width;
      int left = 0;
      for (int row = 0; row < count; row++) {
        raise(largest, values, row * width, true);
        if (read.test(row)) {
          raise(largestRead, values, row * width, symmetric);
        } else {
          left++;
        }
      }
      int[] rest = {left, count - left};
      int[] wanted = {Math.min(rest[0], keep), Math.min(rest[1], keep)};
      int at = rows.length;
      rows = Arrays.copyOf(rows, at + (wanted[0] + wanted[1]) * width);
      for (int row = 0; row < count; row++) {
        int group = read.test(row) ? 1 : 0;
        if (wanted[group] > 0 && random.nextInt(rest[group]) < wanted[group]) {
          isRead.set(at / width, group == 1);
          System.arraycopy(values, row * width, rows, at, width);
          at += width;
          wanted[group]--;
        }
        rest[group]--;
      }
    }

    private static void raise(float[] largest, float[] values, int from, boolean symmetric) {
      for (int c = 0; c < largest.length; c++) {
        float x = values[from + c];
        largest[c] = Math.max(largest[c], symmetric ? Math.abs(x) : x);
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

    /**
     * What each row counts, 1 on average: the rows that the answer reads together as much as all
     * others together.
     */
    float[] weights() {
      int count = rows.length / largest.length;
      int read = isRead.cardinality();
      float[] weights = new float[count];
      Arrays.fill(weights, 1);
      if (read > 0 && read < count) {
        for (int row = 0; row < count; row++) {
          weights[row] = count / (2f * (isRead.get(row) ? read : count - read));
        }
      }
      return weights;
    }

    /**
     * Largest absolute value of each channel over the rows that the answer reads, 0 where it reads
     * none of them; of an activation function and what it reads, which is flat below 0, the largest
     * value. Not to be changed.
     */
    float[] largestRead() {
      return largestRead;
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
          .computeIfAbsent(values.node().name(), name -> new Sample(values.channels(), kind))
          .add(values.values(), rowsPerBatch, row -> read.reads(values.node().name(), row));
    }
    return ranges.observe(values);
  }

  /** The samples by full node name. */
  SortedMap<String, Sample> samples() {
    return Collections.unmodifiableSortedMap(samples);
  }
}
