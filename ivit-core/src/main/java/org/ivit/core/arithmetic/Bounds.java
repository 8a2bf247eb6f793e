package org.ivit.core.arithmetic;

import org.ivit.core.InputException;

/**
 * Proofs, from the actual integers of a model, that no 32-bit accumulator can overflow. They run
 * when ranges are set, at freezing and at loading; a model that fails is refused by name.
 */
public final class Bounds {
  /** An accumulator's absolute value must stay below this. */
  public static final long LIMIT = 1L << 31;

  private Bounds() {}

  /**
   * The largest absolute value that one output channel's accumulator can take: 128·(Σ_rest|w| +
   * 2^k·Σ_outliers|w|) + |bias|.
   *
   * @param w weight codes; {@code inputs} of them from {@code offset}
   * @param in outlier channels of the input
   */
  public static long accumulator(byte[] w, int offset, int inputs, int bias, OutlierChannels in) {
    long sum = 0;
    for (int k = 0; k < inputs; k++) {
      sum += Math.abs(w[offset + k]);
    }
    long set = 0;
    for (int k : in.channels()) {
      set += Math.abs(w[offset + k]);
    }
    return accumulator(sum - set, set, bias, in);
  }

  private static long accumulator(long rest, long outliers, int bias, OutlierChannels in) {
    return 128 * (rest + (outliers << in.shift())) + Math.abs((long) bias);
  }

  /**
   * The bound of every output channel of a layer.
   *
   * @param sums over its weight codes
   * @param bias [outputs]
   * @param in outlier channels of the input
   */
  public static long[] accumulators(ChannelSums sums, int[] bias, OutlierChannels in) {
    long[] bounds = new long[bias.length];
    for (int c = 0; c < bounds.length; c++) {
      bounds[c] = accumulator(sums.magnitude()[c], sums.outlierMagnitude()[c], bias[c], in);
    }
    return bounds;
  }

  /** The bound of every output channel of a layer. */
  public static long[] accumulators(
      byte[] w, int[] bias, int outputs, int inputs, OutlierChannels in) {
    long[] bounds = new long[outputs];
    for (int c = 0; c < outputs; c++) {
      bounds[c] = accumulator(w, c * inputs, inputs, bias[c], in);
    }
    return bounds;
  }

  /**
   * Proves a linear layer.
   *
   * @param name the layer, for the message
   * @param w [outputs][inputs]
   * @param bias [outputs]
   * @throws InputException if a channel's bound reaches 2^31, or an outlier channel is not one of
   *     the inputs
   */
  public static void proveAccumulators(
      String name, byte[] w, int[] bias, int outputs, int inputs, OutlierChannels in) {
    requireChannels(name, in, inputs);
    proveAccumulators(name, accumulators(w, bias, outputs, inputs, in));
  }

  /**
   * Proves the accumulators of a linear layer.
   *
   * @param name the layer, for the message
   * @param bounds of each output channel
   * @throws InputException if one reaches 2^31
   */
  public static void proveAccumulators(String name, long[] bounds) {
    for (int c = 0; c < bounds.length; c++) {
      if (bounds[c] >= LIMIT) {
        require(name + ", channel " + c, "accumulator", bounds[c]);
      }
    }
  }

  /**
   * Proves that outlier channels are channels of their node.
   *
   * @throws InputException if an index is not below {@code channels}
   */
  public static void requireChannels(String name, OutlierChannels outliers, int channels) {
    if (!outliers.isEmpty()) {
      int last = outliers.channels()[outliers.channels().length - 1];
      if (last >= channels) {
        throw new InputException(
            name + ": outlier channel " + last + ", expected below " + channels);
      }
    }
  }

  /** The bound of a score of Q·Kᵀ: 128·128·d. */
  public static long scores(int headDim) {
    return (128L * 128L) * headDim;
  }

  /**
   * Proves Q·Kᵀ.
   *
   * @throws InputException if the bound reaches 2^31
   */
  public static void proveScores(String name, int headDim) {
    require(name, "score", scores(headDim));
  }

  /**
   * The bound of an output of P·V: (2^(b−1) + tokens/2)·128, because a row of probabilities never
   * sums to more than 2^(b−1) + tokens/2.
   */
  public static long context(int tokens, int bits) {
    return ((1L << (bits - 1)) + tokens / 2) * 128;
  }

  /**
   * Proves P·V.
   *
   * @throws InputException if the bound reaches 2^31
   */
  public static void proveContext(String name, int tokens, int bits) {
    require(name, "context", context(tokens, bits));
  }

  /** The bound of a sum of codes of {@code bits} bits over tokens, as in the pool. */
  public static long sum(int tokens, int bits) {
    return (1L << (bits - 1)) * tokens;
  }

  /**
   * Proves a pool over 8-bit codes.
   *
   * @throws InputException if the bound reaches 2^31
   */
  public static void provePool(String name, int tokens) {
    require(name, "sum", sum(tokens, 8));
  }

  /** The bound of |requantize(z)| for |z| ≤ {@code bound}. */
  public static long requantized(long bound, int multiplier, int shift) {
    return Math.max(
        Dyadic.requantize(bound, multiplier, shift), -Dyadic.requantize(-bound, multiplier, shift));
  }

  /**
   * Proves that unclamped logits fit 32 bits.
   *
   * @param name the head, for the message
   * @param accumulators [classes] bounds of the head's accumulators
   * @param multipliers [classes] of the head
   * @throws InputException if a class's bound times its ratio reaches 2^31
   */
  public static void proveLogits(String name, long[] accumulators, DyadicVector multipliers) {
    for (int c = 0; c < accumulators.length; c++) {
      require(name + ", class " + c, "logit", logit(accumulators, multipliers, c));
    }
  }

  /**
   * Proves that the sum of the logits of two heads fits 32 bits.
   *
   * @throws InputException if the sum of a class's two bounds reaches 2^31
   */
  public static void proveLogits(
      String name,
      long[] accumulators,
      DyadicVector multipliers,
      long[] accumulators2,
      DyadicVector multipliers2) {
    for (int c = 0; c < accumulators.length; c++) {
      require(
          name + ", class " + c,
          "logit",
          logit(accumulators, multipliers, c) + logit(accumulators2, multipliers2, c));
    }
  }

  private static long logit(long[] accumulators, DyadicVector multipliers, int c) {
    return requantized(accumulators[c], multipliers.multiplier()[c], multipliers.shift()[c]);
  }

  private static void require(String name, String what, long bound) {
    if (bound >= LIMIT) {
      throw new InputException(
          name + ": refused, its " + what + " may reach " + bound + ", expected below 2^31");
    }
  }
}
