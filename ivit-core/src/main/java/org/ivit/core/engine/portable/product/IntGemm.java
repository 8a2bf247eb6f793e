package org.ivit.core.engine.portable.product;

import java.util.Arrays;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.parallel.FreeList;
import org.ivit.core.parallel.WorkerPool;

/**
 * Multiplies rows of 8-bit codes by a weight matrix that was packed once: {@code acc[r][c] = Σ_rest
 * x·w + ((Σ_outliers x·w) << k) + bias[c]} in 32 bits, exact for all codes. Immutable; any number
 * of threads may use one at once.
 *
 * <p>Weights are held as float32, four bytes a weight. The inner index is cut so that no partial
 * sum can pass 2^24, proved from the weights.
 */
public final class IntGemm {
  /** Columns of a block: its sums and four panels stay near the processor. */
  private static final int WIDEST = 768;

  /** Rows multiplied at once: their sums stay in the second-level cache. */
  public static final int ROWS = 64;

  private static final FreeList<GemmScratch> SCRATCH = new FreeList<>(GemmScratch::new);

  private final ExactProduct product;
  private final int outputs;
  private final int inputs;
  private final int width;

  /** A matrix of packed inputs and columns for each column block. */
  private final float[][][] panels;

  /** Packed position of each input. */
  private final int[] position;

  private final boolean inOrder;

  /** Segment s is packed inputs {@code starts[s]} to {@code starts[s + 1]}. */
  private final int[] starts;

  /** By how much the sum of a segment is shifted; the last segment is not. */
  private final int[] shifts;

  /**
   * Packs a matrix.
   *
   * @param weight codes, [outputs][inputs]; not kept
   * @param inputOutliers input channels whose products are shifted
   */
  public IntGemm(byte[] weight, int outputs, int inputs, OutlierChannels inputOutliers) {
    this(weight, outputs, inputs, inputOutliers, ExactProduct.fastest());
  }

  /**
   * Packs a matrix for a product of the caller's; otherwise as the other.
   *
   * @param product multiplies
   */
  public IntGemm(
      byte[] weight, int outputs, int inputs, OutlierChannels inputOutliers, ExactProduct product) {
    if (outputs < 1 || inputs < 1 || weight.length != (long) outputs * inputs) {
      throw new IllegalArgumentException(
          "weight: " + weight.length + " codes, expected " + outputs + " x " + inputs);
    }
    this.product = product;
    this.outputs = outputs;
    this.inputs = inputs;
    Segments segments = new Segments(weight, outputs, inputs, inputOutliers);
    this.position = segments.position;
    this.inOrder = inputOutliers.isEmpty() && segments.count == 1;
    this.starts = Arrays.copyOf(segments.starts, segments.count + 1);
    this.shifts = Arrays.copyOf(segments.shifts, segments.count);
    int blocks = (outputs + WIDEST - 1) / WIDEST;
    this.width = product.width((outputs + blocks - 1) / blocks);
    this.panels = new float[(outputs + width - 1) / width][][];
    Arrays.setAll(panels, b -> product.matrix(packed(), width));
    for (int c = 0; c < outputs; c++) {
      float[][] panel = panels[c / width];
      for (int k = 0; k < inputs; k++) {
        product.set(panel, position[k], c % width, weight[c * inputs + k]);
      }
    }
  }

  /** Where each input goes: outliers first, all cut into exact sums of padded length. */
  private static final class Segments {
    final int[] position;
    int[] starts;
    int[] shifts;
    int count;
    private int packed;

    Segments(byte[] weight, int outputs, int inputs, OutlierChannels outliers) {
      position = new int[inputs];
      starts = new int[4];
      shifts = new int[4];
      if (!outliers.isEmpty()) {
        cut(weight, outputs, inputs, outliers.channels(), outliers.shift());
      }
      int[] rest = new int[inputs];
      int n = 0;
      for (int k = 0; k < inputs; k++) {
        if (!outliers.contains(k)) {
          rest[n++] = k;
        }
      }
      // A model may have outliers only; the unshifted segment then is empty.
      cut(weight, outputs, inputs, Arrays.copyOf(rest, n), 0);
    }

    private void cut(byte[] weight, int outputs, int inputs, int[] channels, int shift) {
      int[] sums = new int[outputs];
      int first = 0;
      for (int i = 0; i < channels.length; i++) {
        if (i > first && !add(weight, outputs, inputs, channels[i], sums)) {
          end(shift);
          first = i;
          Arrays.fill(sums, 0);
        }
        if (i == first) {
          add(weight, outputs, inputs, channels[i], sums);
        }
        position[channels[i]] = packed++;
      }
      end(shift);
    }

    /** Adds |w| of one input to the sums, or says that a sum could then pass the limit. */
    private static boolean add(byte[] weight, int outputs, int inputs, int k, int[] sums) {
      for (int c = 0; c < outputs; c++) {
        sums[c] += Math.abs(weight[c * inputs + k]);
      }
      for (int sum : sums) {
        if (sum * 128L > ExactProduct.LIMIT) {
          return false;
        }
      }
      return true;
    }

    private void end(int shift) {
      packed = ExactProduct.padded(packed);
      if (count + 2 > starts.length) {
        starts = Arrays.copyOf(starts, 2 * starts.length);
        shifts = Arrays.copyOf(shifts, 2 * shifts.length);
      }
      shifts[count] = shift;
      count++;
      starts[count] = packed;
    }
  }

  /** Columns of the matrix: accumulators a row. */
  public int outputs() {
    return outputs;
  }

  /** Length of a row of codes. */
  public int inputs() {
    return inputs;
  }

  /**
   * Multiplies in the calling thread.
   *
   * @param x codes, [rows][inputs] from {@code xOffset}
   * @param rows number of rows
   * @param bias codes to start from, [outputs], or null for zeros
   * @param acc receives [rows][outputs] from {@code accOffset}
   */
  public void multiply(byte[] x, int xOffset, int rows, int[] bias, int[] acc, int accOffset) {
    SCRATCH.with(scratch -> multiply(x, xOffset, rows, bias, acc, accOffset, scratch));
  }

  /**
   * Multiplies with all threads of a pool.
   *
   * @param x codes, [rows][inputs]
   * @param rows number of rows
   * @param bias codes to start from, [outputs], or null for zeros
   * @param acc receives [rows][outputs]
   */
  public void multiply(WorkerPool pool, byte[] x, int rows, int[] bias, int[] acc) {
    pool.ranges(
        rows,
        4,
        (from, to, part) -> multiply(x, from * inputs, to - from, bias, acc, from * outputs));
  }

  private void multiply(
      byte[] x, int xOffset, int rows, int[] bias, int[] acc, int accOffset, GemmScratch scratch) {
    for (int from = 0; from < rows; from += ROWS) {
      int count = Math.min(ROWS, rows - from);
      int start = accOffset + from * outputs;
      rows(
          x,
          xOffset + from * inputs,
          count,
          scratch,
          (row, column, n, last, before) ->
              copy(last, before, bias, column, n, acc, start + row * outputs + column));
    }
  }

  private static void copy(
      float[] last, int[] before, int[] bias, int column, int n, int[] acc, int offset) {
    for (int j = 0; j < n; j++) {
      acc[offset + j] = (int) last[j];
    }
    if (before != null) {
      for (int j = 0; j < n; j++) {
        acc[offset + j] += before[j];
      }
    }
    if (bias != null) {
      for (int j = 0; j < n; j++) {
        acc[offset + j] += bias[column + j];
      }
    }
  }

  /**
   * Multiplies at most {@link #ROWS} rows and hands over the accumulators, without bias.
   *
   * @param sink is called for each row of each column block
   */
  public void rows(byte[] x, int xOffset, int rows, GemmScratch scratch, RowSink sink) {
    int packed = packed();
    float[] factors = scratch.factors(rows * packed);
    for (int r = 0; r < rows; r++) {
      pack(x, xOffset + r * inputs, factors, r * packed);
    }
    float[][] sums = scratch.sums(rows, width);
    int last = shifts.length - 1;
    int[][] before = last == 0 ? null : scratch.before(rows, width);
    for (int b = 0; b < panels.length; b++) {
      int n = Math.min(width, outputs - b * width);
      for (int s = 0; s <= last; s++) {
        product.multiply(
            sums,
            rows,
            n,
            panels[b],
            starts[s],
            starts[s + 1] - starts[s],
            factors,
            starts[s],
            packed);
        if (s < last) {
          for (int r = 0; r < rows; r++) {
            keep(sums[r], n, shifts[s], s == 0, before[r]);
          }
        }
      }
      for (int r = 0; r < rows; r++) {
        sink.row(r, b * width, n, sums[r], before == null ? null : before[r]);
      }
    }
  }

  private static void keep(float[] sums, int n, int shift, boolean first, int[] before) {
    for (int j = 0; j < n; j++) {
      int sum = (int) sums[j] << shift;
      before[j] = first ? sum : before[j] + sum;
    }
  }

  private int packed() {
    return starts[starts.length - 1];
  }

  private void pack(byte[] x, int offset, float[] factors, int at) {
    Arrays.fill(factors, at, at + packed(), 0f);
    if (inOrder) {
      for (int k = 0; k < inputs; k++) {
        factors[at + k] = x[offset + k];
      }
    } else {
      for (int k = 0; k < inputs; k++) {
        factors[at + position[k]] = x[offset + k];
      }
    }
  }
}
