package org.ivit.core.engine.cuda.layer;

import org.ivit.core.arithmetic.Dyadic;
import org.ivit.core.cuda.Divisor;
import org.ivit.core.cuda.Structure;

/** What the kernels {@code attention_*} take. */
public final class AttentionArguments extends Structure {
  public final Field<Long> qkv = address();
  public final Field<Long> context = address();
  public final Field<Long> place = address();
  public final Field<Long> channels = address();
  public final Field<Long> exponentials = address();
  public final Field<Long> scoreTerms = address();
  public final Field<Long> biases = address();
  public final Field<Long> masks = address();
  public final Field<Divisor> windowDivisor = divisor();
  public final Field<Integer> scoreMultiplier = int32();
  public final Field<Integer> scoreHalf = int32();
  public final Field<Integer> scoreShift = int32();
  public final Field<Integer> windows = int32();
  public final Field<Integer> tokens = int32();
  public final Field<Integer> queries = int32();
  public final Field<Integer> heads = int32();
  public final Field<Integer> headDim = int32();
  public final Field<Integer> paddedDim = int32();
  public final Field<Integer> contextStride = int32();
  public final Field<Integer> maskWords = int32();
  public final Field<Integer> rounding = int32();
  public final Field<Integer> wide = int32();
  public final Field<Integer> span = int32();
  public final Field<Integer> copyBits = int32();
  public final Field<Integer> together = int32();

  /** Sets the multiplier of scores in the form of the structure {@code Channel}. */
  public void scores(Dyadic scores) {
    boolean wide = scores.shift() < Channels.LEAST_HIGH_SHIFT;
    scoreMultiplier.set(scores.multiplier());
    scoreHalf.set(wide ? 0 : 1 << (scores.shift() - Channels.LEAST_HIGH_SHIFT));
    scoreShift.set(wide ? scores.shift() : scores.shift() - Channels.LEAST_HIGH_SHIFT + 1);
  }
}
