package org.ivit.core.engine.portable;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.lang.management.ManagementFactory;
import java.util.Arrays;

/**
 * Adds matrix products of integers that are held in float32. As long as every partial sum stays at
 * or below 2^24 in absolute value each fused multiply-add is exact, whatever the order, so this is
 * integer arithmetic on the unit of the processor that does most of it: C2 has no vector form of an
 * int8 product, but turns the loops below into one vector multiply-add a load.
 */
final class ExactProduct {
  /** Every integer up to this one is a float32. */
  static final long LIMIT = 1L << 24;

  /** The longest sum of products of two 8-bit codes that cannot pass {@link #LIMIT}. */
  static final int CODES = (int) (LIMIT / (128 * 128));

  /** The same of 8-bit codes and unsigned bytes, a multiple of {@link #STEP}. */
  static final int BYTES = 512;

  /** The inner index advances by this much; rows of factors are padded to a multiple with zeros. */
  static final int STEP = 4;

  /**
   * C2 of Java 17 leaves the loop over two rows scalar; newer ones read each panel once for two.
   */
  private static final boolean PAIRS = Runtime.version().feature() >= 25;

  /**
   * Without the instruction {@code Math.fma} computes with decimals, thousands of times slower; a
   * product and a sum are as exact here.
   */
  private static final boolean FUSED = hasFusedMultiplyAdd();

  private ExactProduct() {}

  private static boolean hasFusedMultiplyAdd() {
    try {
      HotSpotDiagnosticMXBean machine =
          ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
      return machine == null || Boolean.parseBoolean(machine.getVMOption("UseFMA").getValue());
    } catch (IllegalArgumentException | LinkageError e) {
      // Another virtual machine, which is trusted to have it.
      return true;
    }
  }

  /** Rounds a length up to a multiple of {@link #STEP}. */
  static int padded(int length) {
    return (length + STEP - 1) / STEP * STEP;
  }

  /**
   * {@code c[r][j] = Σ_k a[r][k]·w[wFrom + k][j]} for j below n.
   *
   * @param c [rows][at least n], overwritten
   * @param w [wFrom + length][at least n]
   * @param length of the inner index, a multiple of {@link #STEP}
   * @param a element (r, k) at {@code aOffset + r·aStride + k}
   */
  static void multiply(
      float[][] c,
      int rows,
      int n,
      float[][] w,
      int wFrom,
      int length,
      float[] a,
      int aOffset,
      int aStride) {
    for (int r = 0; r < rows; r++) {
      Arrays.fill(c[r], 0, n, 0f);
    }
    // The inner index is outermost: its four panels stay in the first-level cache for all rows.
    for (int k = 0; k < length; k += STEP) {
      float[] w0 = w[wFrom + k];
      float[] w1 = w[wFrom + k + 1];
      float[] w2 = w[wFrom + k + 2];
      float[] w3 = w[wFrom + k + 3];
      int r = 0;
      int p = aOffset + k;
      if (PAIRS && FUSED) {
        for (; r + 1 < rows; r += 2) {
          int q = p + aStride;
          add2(
              c[r], c[r + 1], w0, w1, w2, w3, a[p], a[p + 1], a[p + 2], a[p + 3], a[q], a[q + 1],
              a[q + 2], a[q + 3], n);
          p = q + aStride;
        }
      }
      for (; r < rows; r++) {
        if (FUSED) {
          add1(c[r], w0, w1, w2, w3, a[p], a[p + 1], a[p + 2], a[p + 3], n);
        } else {
          addUnfused(c[r], w0, w1, w2, w3, a[p], a[p + 1], a[p + 2], a[p + 3], n);
        }
        p += aStride;
      }
    }
  }

  // Separate arrays, all indexed by the loop variable alone, are what C2 vectorises.

  private static void add1(
      float[] c,
      float[] w0,
      float[] w1,
      float[] w2,
      float[] w3,
      float a0,
      float a1,
      float a2,
      float a3,
      int n) {
    for (int j = 0; j < n; j++) {
      c[j] =
          Math.fma(a3, w3[j], Math.fma(a2, w2[j], Math.fma(a1, w1[j], Math.fma(a0, w0[j], c[j]))));
    }
  }

  private static void addUnfused(
      float[] c,
      float[] w0,
      float[] w1,
      float[] w2,
      float[] w3,
      float a0,
      float a1,
      float a2,
      float a3,
      int n) {
    for (int j = 0; j < n; j++) {
      c[j] = c[j] + a0 * w0[j] + a1 * w1[j] + a2 * w2[j] + a3 * w3[j];
    }
  }

  private static void add2(
      float[] c,
      float[] d,
      float[] w0,
      float[] w1,
      float[] w2,
      float[] w3,
      float a0,
      float a1,
      float a2,
      float a3,
      float b0,
      float b1,
      float b2,
      float b3,
      int n) {
    for (int j = 0; j < n; j++) {
      float x = c[j];
      float y = d[j];
      float v = w0[j];
      x = Math.fma(a0, v, x);
      y = Math.fma(b0, v, y);
      v = w1[j];
      x = Math.fma(a1, v, x);
      y = Math.fma(b1, v, y);
      v = w2[j];
      x = Math.fma(a2, v, x);
      y = Math.fma(b2, v, y);
      v = w3[j];
      c[j] = Math.fma(a3, v, x);
      d[j] = Math.fma(b3, v, y);
    }
  }
}
