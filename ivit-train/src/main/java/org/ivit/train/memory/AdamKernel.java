package org.ivit.train.memory;

import org.ivit.core.parallel.WorkerPool;

/** One pass of Adam over vectors, on native kernels. */
public final class AdamKernel {
  private static final int BLOCK = 16_384;

  private AdamKernel() {}

  /** Whether it takes numbers of this memory. */
  public static boolean serves(Reals numbers) {
    return NativeRows.serves(numbers);
  }

  /**
   * {@code m ← β₁m + (1−β₁)g}, {@code v ← β₂v + (1−β₂)g²}, {@code g ← rate·m/(√v + ε)}.
   *
   * @param gradient becomes the update
   * @param m first moment
   * @param v second moment
   * @param rate with both corrections of the bias
   */
  public static void update(
      WorkerPool pool,
      Reals gradient,
      Reals m,
      Reals v,
      double beta1,
      double beta2,
      double rate,
      double epsilon) {
    pool.ranges(
        gradient.size(),
        BLOCK,
        (from, to, part) -> {
          int n = to - from;
          NativeRows.adam(
              NativeRows.address(gradient, from, n),
              NativeRows.address(m, from, n),
              NativeRows.address(v, from, n),
              (float) beta1,
              (float) beta2,
              (float) rate,
              (float) epsilon,
              n);
        });
  }
}
