package org.ivit.train.operator.integer;

import java.util.Arrays;
import org.ivit.core.arithmetic.Pooling;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.core.graph.Pool;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.SeenRanges;

/** The mean over tokens of the quantized network, of the pictures of a chunk. */
final class QuantPool {
  private final String name;
  private final int tokens;
  private final int leading;
  private final int dim;
  private Pool node;
  private double sumScale;

  /**
   * @param name full node name
   * @param tokens of a picture
   * @param leading the first of them, which take no part
   */
  QuantPool(String name, int tokens, int leading, int dim) {
    this.name = name;
    this.tokens = tokens;
    this.leading = leading;
    this.dim = dim;
  }

  /** Takes the node of this pass. */
  void prepare(Pool built, float inputScale) {
    node = built;
    sumScale = Pooling.sumScale(inputScale, tokens - leading);
  }

  Pool node() {
    return node;
  }

  /**
   * @param x codes, [pictures][tokens][dim]
   * @return their sums, [pictures][dim], in scratch memory
   */
  int[] sums(short[] x, int pictures, Buffers scratch) {
    int[] sums = cleared(pictures, scratch);
    for (int i = 0; i < pictures; i++) {
      for (int t = leading; t < tokens; t++) {
        int from = (i * tokens + t) * dim;
        for (int c = 0; c < dim; c++) {
          sums[i * dim + c] += x[from + c];
        }
      }
    }
    return sums;
  }

  /** As {@link #sums(short[], int, Buffers)}, of 8-bit codes. */
  int[] sums(byte[] x, int pictures, Buffers scratch) {
    int[] sums = cleared(pictures, scratch);
    for (int i = 0; i < pictures; i++) {
      for (int t = leading; t < tokens; t++) {
        int from = (i * tokens + t) * dim;
        for (int c = 0; c < dim; c++) {
          sums[i * dim + c] += x[from + c];
        }
      }
    }
    return sums;
  }

  private int[] cleared(int pictures, Buffers scratch) {
    int[] sums = scratch.ints("pool.sums", pictures * dim);
    Arrays.fill(sums, 0, pictures * dim, 0);
    return sums;
  }

  /**
   * @param sums of {@link #sums}
   * @param out receives 8-bit codes, [pictures][dim]
   * @param seen receives the values, or null
   */
  void means(int[] sums, byte[] out, int pictures, SeenRanges seen) {
    for (int i = 0; i < pictures * dim; i++) {
      out[i] = Quantizer.clamp8(node.multiplier().apply(sums[i]));
    }
    observe(sums, pictures, seen);
  }

  /** As {@link #means(int[], byte[], int, SeenRanges)}, to 16-bit codes. */
  void means(int[] sums, short[] out, int pictures, SeenRanges seen) {
    for (int i = 0; i < pictures * dim; i++) {
      out[i] = Quantizer.clamp16(node.multiplier().apply(sums[i]));
    }
    observe(sums, pictures, seen);
  }

  private void observe(int[] sums, int pictures, SeenRanges seen) {
    if (seen == null) {
      return;
    }
    int min = Integer.MAX_VALUE;
    int max = Integer.MIN_VALUE;
    for (int i = 0; i < pictures * dim; i++) {
      min = Math.min(min, sums[i]);
      max = Math.max(max, sums[i]);
    }
    seen.include(name, min * sumScale, max * sumScale);
  }

  /**
   * Straight through: an equal share for every token of the mean, nothing for the others.
   *
   * @param gMean gradient by the mean, [pictures][dim] from {@code from} on
   * @param gx receives the gradient by the tokens, [pictures][tokens][dim] from {@code at} on
   */
  void backward(Reals gMean, int from, Reals gx, int at, int pictures, Buffers scratch) {
    double[] row = scratch.doubles("pool.row", dim);
    for (int i = 0; i < pictures; i++) {
      int picture = at + i * tokens * dim;
      gx.clear(picture, leading * dim);
      gMean.get(from + i * dim, row, 0, dim);
      for (int c = 0; c < dim; c++) {
        row[c] /= tokens - leading;
      }
      for (int t = leading; t < tokens; t++) {
        gx.put(picture + t * dim, row, 0, dim);
      }
    }
  }
}
