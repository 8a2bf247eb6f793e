package org.ivit.core.engine.reference;

import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.Products;
import org.ivit.core.engine.MatrixProducts;

/** The matrix products as sums over an index. */
public final class ReferenceMatrixProducts implements MatrixProducts {
  @Override
  public int[] linear(
      byte[] x, int rows, byte[] weight, int[] bias, int inputs, OutlierChannels inputOutliers) {
    int outputs = bias.length;
    int[] acc = new int[rows * outputs];
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < outputs; c++) {
        acc[r * outputs + c] =
            Products.linear(x, r * inputs, weight, c * inputs, inputs, bias[c], inputOutliers);
      }
    }
    return acc;
  }

  @Override
  public int[] scores(byte[] qkv, int pictures, int tokens, int heads, int headDim) {
    int[] acc = new int[pictures * heads * tokens * tokens];
    int i = 0;
    for (int n = 0; n < pictures; n++) {
      for (int h = 0; h < heads; h++) {
        for (int q = 0; q < tokens; q++) {
          for (int k = 0; k < tokens; k++) {
            int query = index(n, q, 0, h, tokens, heads, headDim);
            int key = index(n, k, 1, h, tokens, heads, headDim);
            acc[i++] = Products.dot(qkv, query, qkv, key, headDim);
          }
        }
      }
    }
    return acc;
  }

  @Override
  public int[] context(
      short[] probabilities, byte[] qkv, int pictures, int tokens, int heads, int headDim) {
    int[] acc = new int[pictures * tokens * heads * headDim];
    int i = 0;
    for (int n = 0; n < pictures; n++) {
      for (int q = 0; q < tokens; q++) {
        for (int h = 0; h < heads; h++) {
          int row = ((n * heads + h) * tokens + q) * tokens;
          int values = index(n, 0, 2, h, tokens, heads, headDim);
          for (int d = 0; d < headDim; d++) {
            acc[i++] =
                Products.context(probabilities, row, qkv, values + d, 3 * heads * headDim, tokens);
          }
        }
      }
    }
    return acc;
  }

  private static int index(
      int picture, int token, int part, int head, int tokens, int heads, int headDim) {
    return (((picture * tokens + token) * 3 + part) * heads + head) * headDim;
  }
}
