package org.ivit.train.operator.floating;

import java.util.Arrays;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.Reals;

/**
 * The mean over the tokens of a picture, in float64.
 *
 * @param tokens of a picture
 * @param leading the first of them, which take no part
 * @param dim channels of a token
 */
public record TokenMean(int tokens, int leading, int dim) {
  /**
   * Takes the means of pictures.
   *
   * @param x holds them from {@code from} on, [pictures][tokens][dim]
   * @param y receives the means from {@code at} on, [pictures][dim]
   */
  void forward(Reals x, int from, Reals y, int at, int pictures, Buffers scratch) {
    double[] row = scratch.doubles("mean.row", dim);
    double[] mean = scratch.doubles("mean.sum", dim);
    for (int i = 0; i < pictures; i++) {
      Arrays.fill(mean, 0, dim, 0);
      for (int t = leading; t < tokens; t++) {
        x.get(from + (i * tokens + t) * dim, row, 0, dim);
        for (int c = 0; c < dim; c++) {
          mean[c] += row[c] / (tokens - leading);
        }
      }
      y.put(at + i * dim, mean, 0, dim);
    }
  }

  /**
   * Gives each token its share of the gradient, leading ones none.
   *
   * @param g gradient by the means from {@code from} on, [pictures][dim]
   * @param gx written from {@code at} on, [pictures][tokens][dim]
   */
  public void backward(Reals g, int from, Reals gx, int at, int pictures, Buffers scratch) {
    double[] row = scratch.doubles("mean.row", dim);
    for (int i = 0; i < pictures; i++) {
      g.get(from + i * dim, row, 0, dim);
      for (int c = 0; c < dim; c++) {
        row[c] /= tokens - leading;
      }
      int to = at + i * tokens * dim;
      gx.clear(to, leading * dim);
      for (int t = leading; t < tokens; t++) {
        gx.put(to + t * dim, row, 0, dim);
      }
    }
  }
}
