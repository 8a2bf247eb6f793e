package org.ivit.core.engine;

import org.ivit.core.arithmetic.OutlierChannels;

/**
 * The three integer matrix products of a transformer, exact in 32 bits where the bounds of {@code
 * docs/arithmetic.md#linear-layers-and-matrix-products} hold. All arrays are row-major.
 */
public interface MatrixProducts {
  /**
   * {@code acc[r][c] = Σ_rest x·w + ((Σ_outliers x·w) << k) + bias[c]}.
   *
   * @param x codes, [rows][inputs]
   * @param rows number of rows
   * @param weight codes, [outputs][inputs]
   * @param bias codes, [outputs]
   * @param inputs number of input channels
   * @param inputOutliers input channels that are shifted
   * @return accumulators, [rows][outputs]
   */
  int[] linear(
      byte[] x, int rows, byte[] weight, int[] bias, int inputs, OutlierChannels inputOutliers);

  /**
   * Q·Kᵀ of every picture and head.
   *
   * @param qkv codes, [pictures][tokens][3][heads][headDim]
   * @param pictures number of pictures
   * @param tokens number of tokens
   * @param heads number of heads
   * @param headDim channels of a head
   * @return accumulators, [pictures][heads][tokens][tokens]
   */
  int[] scores(byte[] qkv, int pictures, int tokens, int heads, int headDim);

  /**
   * P·V of every picture and head.
   *
   * @param probabilities codes, [pictures][heads][tokens][tokens]
   * @param qkv codes, [pictures][tokens][3][heads][headDim]
   * @param pictures number of pictures
   * @param tokens number of tokens
   * @param heads number of heads
   * @param headDim channels of a head
   * @return accumulators, [pictures][tokens][heads·headDim]
   */
  int[] context(
      short[] probabilities, byte[] qkv, int pictures, int tokens, int heads, int headDim);
}
