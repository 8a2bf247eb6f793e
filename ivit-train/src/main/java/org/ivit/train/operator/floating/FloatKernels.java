package org.ivit.train.operator.floating;

import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.NativeRows;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.Chunk;
import org.ivit.train.operator.DropPath;
import org.ivit.train.operator.Execution;

/** Rows of the float network: softmax, GELU, bias, sums. All in float64 between memory. */
public final class FloatKernels {
  /** Numbers that are widened at once where there are no rows. */
  private static final int BLOCK = 1024;

  private FloatKernels() {}

  /**
   * Backward pass of one normalised row.
   *
   * @param normalised the row before γ and β
   * @param factor one over the deviation
   * @param g gradient by the output; overwritten
   * @param gx added to
   * @param gammaGradient added to
   * @param betaGradient added to
   */
  public static void normRowBackward(
      double[] normalised,
      double factor,
      double[] gamma,
      double[] g,
      double[] gx,
      double[] gammaGradient,
      double[] betaGradient,
      int channels) {
    double total = 0;
    double along = 0;
    for (int c = 0; c < channels; c++) {
      gammaGradient[c] += g[c] * normalised[c];
      betaGradient[c] += g[c];
      double scaled = g[c] * gamma[c];
      g[c] = scaled;
      total += scaled;
      along += scaled * normalised[c];
    }
    total /= channels;
    along /= channels;
    for (int c = 0; c < channels; c++) {
      gx[c] += (g[c] - total - normalised[c] * along) * factor;
    }
  }

  /** Softmax of each row, in place. */
  public static void softmax(Reals x, int from, int rows, int n, double[] row) {
    if (NativeRows.serves(x)) {
      NativeRows.softmax(NativeRows.address(x, from, rows * n), rows, n);
      return;
    }
    for (int r = 0; r < rows; r++) {
      x.get(from + r * n, row, 0, n);
      double max = Double.NEGATIVE_INFINITY;
      for (int i = 0; i < n; i++) {
        max = Math.max(max, row[i]);
      }
      double sum = 0;
      for (int i = 0; i < n; i++) {
        row[i] = Math.exp(row[i] - max);
        sum += row[i];
      }
      double factor = 1 / sum;
      for (int i = 0; i < n; i++) {
        row[i] *= factor;
      }
      x.put(from + r * n, row, 0, n);
    }
  }

  /**
   * Backward pass of softmax, {@code g ← p ⊙ (g − Σ g⊙p)} on each row of g.
   *
   * @param scale what a number of {@code p} is worth: 1, or the scale of its codes
   */
  public static void softmaxBackward(
      Reals p,
      int pFrom,
      double scale,
      Reals g,
      int rows,
      int n,
      double[] probabilities,
      double[] row) {
    if (NativeRows.serves(p)) {
      NativeRows.softmaxBackward(
          NativeRows.address(p, pFrom, rows * n),
          scale,
          NativeRows.address(g, 0, rows * n),
          rows,
          n);
      return;
    }
    for (int r = 0; r < rows; r++) {
      p.get(pFrom + r * n, probabilities, 0, n);
      g.get(r * n, row, 0, n);
      double sum = 0;
      for (int i = 0; i < n; i++) {
        probabilities[i] *= scale;
        sum += row[i] * probabilities[i];
      }
      for (int i = 0; i < n; i++) {
        row[i] = probabilities[i] * (row[i] - sum);
      }
      g.put(r * n, row, 0, n);
    }
  }

  /** GELU with the error function, {@code y = x·Φ(x)}. */
  public static void gelu(Reals x, Reals y, int size, Buffers buffers) {
    if (NativeRows.serves(x)) {
      NativeRows.gelu(NativeRows.address(x, 0, size), NativeRows.address(y, 0, size), size);
      return;
    }
    double[] row = buffers.doubles("row", BLOCK);
    for (int at = 0; at < size; at += BLOCK) {
      int n = Math.min(BLOCK, size - at);
      x.get(at, row, 0, n);
      for (int i = 0; i < n; i++) {
        row[i] *= NormalTable.distribution(row[i]);
      }
      y.put(at, row, 0, n);
    }
  }

  /** Backward pass of GELU, {@code g ← g·(Φ(x) + x·φ(x))}. */
  public static void geluBackward(Reals x, Reals g, int size, Buffers buffers) {
    if (NativeRows.serves(x)) {
      NativeRows.geluBackward(NativeRows.address(x, 0, size), NativeRows.address(g, 0, size), size);
      return;
    }
    double[] row = buffers.doubles("row", BLOCK);
    double[] values = buffers.doubles("row2", BLOCK);
    for (int at = 0; at < size; at += BLOCK) {
      int n = Math.min(BLOCK, size - at);
      x.get(at, values, 0, n);
      g.get(at, row, 0, n);
      for (int i = 0; i < n; i++) {
        double v = values[i];
        row[i] *= NormalTable.distribution(v) + v * NormalTable.density(v);
      }
      g.put(at, row, 0, n);
    }
  }

  /** Sets each row of y to the bias, onto which a product is added. */
  public static void fillBias(
      Reals weights, int biasFrom, Reals y, int yFrom, int rows, int channels) {
    if (NativeRows.serves(y)) {
      NativeRows.fillRows(
          NativeRows.address(weights, biasFrom, channels),
          NativeRows.address(y, yFrom, rows * channels),
          rows,
          channels);
      return;
    }
    for (int r = 0; r < rows; r++) {
      y.put(yFrom + r * channels, weights, biasFrom, channels);
    }
  }

  /** Adds the sum over rows to {@code gradients}. */
  public static void addColumnSums(
      Reals g, int from, int rows, int channels, Reals gradients, int at, Buffers buffers) {
    if (NativeRows.serves(g)) {
      NativeRows.addColumnSums(
          NativeRows.address(g, from, rows * channels),
          rows,
          channels,
          NativeRows.address(gradients, at, channels));
      return;
    }
    double[] row = buffers.doubles("sums.row", channels);
    double[] sum = buffers.doubles("sums.sum", channels);
    gradients.get(at, sum, 0, channels);
    for (int r = 0; r < rows; r++) {
      g.get(from + r * channels, row, 0, channels);
      for (int c = 0; c < channels; c++) {
        sum[c] += row[c];
      }
    }
    gradients.put(at, sum, 0, channels);
  }

  /** {@code gradients += values}. */
  public static void add(double[] values, int n, Reals gradients, int at, double[] row) {
    gradients.get(at, row, 0, n);
    for (int i = 0; i < n; i++) {
      row[i] += values[i];
    }
    gradients.put(at, row, 0, n);
  }

  /** {@code y = x + factor·z}. */
  public static void addScaled(
      Reals x, int xFrom, Reals z, int zFrom, double factor, Reals y, int yFrom, int n, Buffers b) {
    if (NativeRows.serves(x)) {
      NativeRows.addScaled(
          NativeRows.address(x, xFrom, n),
          NativeRows.address(z, zFrom, n),
          factor,
          NativeRows.address(y, yFrom, n),
          n);
      return;
    }
    double[] left = b.doubles("add.left", BLOCK);
    double[] right = b.doubles("add.right", BLOCK);
    for (int at = 0; at < n; at += BLOCK) {
      int part = Math.min(BLOCK, n - at);
      x.get(xFrom + at, left, 0, part);
      z.get(zFrom + at, right, 0, part);
      for (int i = 0; i < part; i++) {
        left[i] += factor * right[i];
      }
      y.put(yFrom + at, left, 0, part);
    }
  }

  /** {@code x ← x ⊙ z}. */
  public static void multiply(Reals x, Reals z, int n, Buffers b) {
    if (NativeRows.serves(x)) {
      NativeRows.multiply(NativeRows.address(x, 0, n), NativeRows.address(z, 0, n), n);
      return;
    }
    double[] left = b.doubles("add.left", BLOCK);
    double[] right = b.doubles("add.right", BLOCK);
    for (int at = 0; at < n; at += BLOCK) {
      int part = Math.min(BLOCK, n - at);
      x.get(at, left, 0, part);
      z.get(at, right, 0, part);
      for (int i = 0; i < part; i++) {
        left[i] *= right[i];
      }
      x.put(at, left, 0, part);
    }
  }

  /** {@code y = factor·x}. */
  public static void scale(
      Reals x, int xFrom, double factor, Reals y, int yFrom, int n, Buffers b) {
    if (NativeRows.serves(x)) {
      NativeRows.scale(NativeRows.address(x, xFrom, n), factor, NativeRows.address(y, yFrom, n), n);
      return;
    }
    double[] row = b.doubles("add.left", BLOCK);
    for (int at = 0; at < n; at += BLOCK) {
      int part = Math.min(BLOCK, n - at);
      x.get(xFrom + at, row, 0, part);
      for (int i = 0; i < part; i++) {
        row[i] *= factor;
      }
      y.put(yFrom + at, row, 0, part);
    }
  }

  /**
   * The gradient by a branch, [count][size], from that by the sum.
   *
   * @param g gradient by the sum, from {@code from} on
   * @param gBranch written
   * @param size numbers of a picture
   */
  public static void branchGradient(
      DropPath drop, Reals g, int from, Reals gBranch, int size, Chunk chunk, Execution run) {
    for (int i = 0; i < chunk.count(); i++) {
      double factor = drop.factor(run, chunk.first() + i);
      if (factor == 1) {
        gBranch.put(i * size, g, from + i * size, size);
      } else {
        scale(g, from + i * size, factor, gBranch, i * size, size, chunk.scratch());
      }
    }
  }
}
