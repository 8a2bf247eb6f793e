package org.ivit.core.engine.portable;

import org.ivit.core.arithmetic.Dyadic;
import org.ivit.core.engine.PairOrder;
import org.ivit.core.graph.Linear;
import org.ivit.core.graph.Rotation;

/** Rotary positions of rows of queries, keys and values; pairs lie half a head apart. */
final class RotationKernel {
  private final int headDim;
  private final short[] cos;
  private final short[] sin;
  private final long multiplier;
  private final long half;
  private final int shift;

  RotationKernel(Rotation rotation) {
    PairOrder order = order(rotation);
    headDim = rotation.turns().headDim();
    cos = order.of(rotation.turns().cos());
    sin = order.of(rotation.turns().sin());
    Dyadic requantization = rotation.requantization();
    multiplier = requantization.multiplier();
    shift = requantization.shift();
    half = 1L << (shift - 1);
  }

  /** The layer whose outputs it turns. */
  static Linear inOrder(Linear qkv, Rotation rotation) {
    return order(rotation).of(qkv);
  }

  private static PairOrder order(Rotation rotation) {
    return PairOrder.halves(rotation.turns());
  }

  /**
   * @param qkv 16-bit codes of a token, [3][heads][headDim] from {@code at}
   * @param dim channels of a token
   * @param sums scratch, at least {@code dim}
   * @param out receives 8-bit codes from {@code outAt}
   */
  void row(short[] qkv, int at, int token, int dim, int[] sums, byte[] out, int outAt) {
    for (int part = 0; part < 2; part++) {
      for (int head = 0; head < dim; head += headDim) {
        turn(qkv, at + part * dim + head, token * headDim, sums, head);
      }
      codes(sums, dim, out, outAt + part * dim);
    }
    int values = at + 2 * dim;
    for (int c = 0; c < dim; c++) {
      sums[c] = qkv[values + c] << Rotation.BITS;
    }
    codes(sums, dim, out, outAt + 2 * dim);
  }

  private void turn(short[] x, int at, int turns, int[] sums, int to) {
    int pairs = headDim / 2;
    for (int i = 0; i < pairs; i++) {
      sums[to + i] = x[at + i] * cos[turns + i] + x[at + pairs + i] * sin[turns + i];
    }
    int second = turns + pairs;
    for (int i = 0; i < pairs; i++) {
      sums[to + pairs + i] = x[at + pairs + i] * cos[second + i] + x[at + i] * sin[second + i];
    }
  }

  private void codes(int[] sums, int n, byte[] out, int at) {
    for (int c = 0; c < n; c++) {
      long v = (sums[c] * multiplier + half) >> shift;
      out[at + c] = (byte) Math.max(Byte.MIN_VALUE, Math.min(Byte.MAX_VALUE, v));
    }
  }
}
