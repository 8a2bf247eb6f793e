package org.ivit.core.engine.portable;

import java.util.Arrays;
import org.ivit.core.architecture.Windows;
import org.ivit.core.arithmetic.Dyadic;
import org.ivit.core.arithmetic.SoftmaxTable;
import org.ivit.core.graph.PositionBias;

/** The step from scores to exponentials in a window: relative position bias, mask, table. */
final class WindowScores {
  private final int tokens;
  private final long multiplier;
  private final long half;
  private final int shift;

  /** Requantized biases, [head][key][query]. */
  private final int[][] bias;

  /** [window][key][query], null where nothing is masked; a mask is symmetric. */
  private final boolean[][] masks;

  WindowScores(PositionBias position, Windows windows) {
    tokens = windows.tokens();
    multiplier = position.score().multiplier();
    shift = position.score().shift();
    half = 1L << (shift - 1);
    bias = bias(position, windows);
    masks = new boolean[windows.count()][];
    Arrays.setAll(masks, windows::mask);
  }

  private static int[][] bias(PositionBias position, Windows windows) {
    int n = windows.tokens();
    int heads = position.heads();
    int[] relative = windows.relativeIndex();
    Dyadic dyadic = position.position();
    int[][] bias = new int[heads][n * n];
    for (int head = 0; head < heads; head++) {
      for (int query = 0; query < n; query++) {
        for (int key = 0; key < n; key++) {
          int row = relative[query * n + key];
          // The node is proved to fit.
          bias[head][key * n + query] = (int) dyadic.apply(position.table()[row * heads + head]);
        }
      }
    }
    return bias;
  }

  /**
   * Fills the numerators and adds them to the sums.
   *
   * @param s holds the scores' codes, [key][n queries]
   * @param from first query
   * @param n number of queries
   */
  void run(AttentionKernel.Scratch s, int window, int head, int from, int n, int[] exponentials) {
    boolean[] mask = masks[window];
    Arrays.fill(s.maximum, 0, n, Byte.MIN_VALUE);
    for (int t = 0; t < tokens; t++) {
      bias(s.codes, t * n, n, bias[head], t * tokens + from);
      maximum(s.codes, t * n, n, mask, t * tokens + from, s.maximum);
    }
    for (int t = 0; t < tokens; t++) {
      numerators(s, t, n, mask, t * tokens + from, exponentials);
    }
  }

  private void bias(byte[] codes, int at, int n, int[] bias, int biasAt) {
    for (int i = 0; i < n; i++) {
      long v = ((codes[at + i] * multiplier + half) >> shift) + bias[biasAt + i];
      codes[at + i] = (byte) Math.max(Byte.MIN_VALUE, Math.min(Byte.MAX_VALUE, v));
    }
  }

  private static void maximum(byte[] codes, int at, int n, boolean[] mask, int maskAt, int[] out) {
    for (int i = 0; i < n; i++) {
      if (mask == null || !mask[maskAt + i]) {
        out[i] = Math.max(out[i], codes[at + i]);
      }
    }
  }

  private static void numerators(
      AttentionKernel.Scratch s, int key, int n, boolean[] mask, int maskAt, int[] exponentials) {
    int[] out = s.numerators[key];
    int at = key * n;
    for (int i = 0; i < n; i++) {
      boolean masked = mask != null && mask[maskAt + i];
      int e = exponentials[masked ? SoftmaxTable.MASKED : s.maximum[i] - s.codes[at + i]];
      out[i] = e;
      s.sum[i] += e;
    }
  }
}
