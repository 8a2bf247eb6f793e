package org.ivit.core.pretrained;

/**
 * Another patch size for a patch projection, as FlexiViT does it: the kernel whose answers to
 * resized patches are nearest to the old kernel's to the patches as they were. With R the resize of
 * an A × A picture to B × B as a matrix it is pinv(Rᵀ)·k; R is a product of two axes, and so is its
 * pseudoinverse.
 */
final class PatchResampling {
  private PatchResampling() {}

  /**
   * @param kernels [count][size][size]
   * @param to the new size
   * @param rule of the resize
   * @return [count][to][to]
   */
  static float[] resample(float[] kernels, int size, int to, GridResampling rule) {
    double[][] inverse = pseudoinverse(rule.weights(size, to));
    int count = kernels.length / (size * size);
    float[] out = new float[count * to * to];
    double[] rows = new double[to * size];
    for (int k = 0; k < count; k++) {
      for (int i = 0; i < to; i++) {
        for (int x = 0; x < size; x++) {
          double sum = 0;
          for (int y = 0; y < size; y++) {
            sum += inverse[i][y] * kernels[(k * size + y) * size + x];
          }
          rows[i * size + x] = sum;
        }
      }
      for (int i = 0; i < to; i++) {
        for (int j = 0; j < to; j++) {
          double sum = 0;
          for (int x = 0; x < size; x++) {
            sum += inverse[j][x] * rows[i * size + x];
          }
          out[(k * to + i) * to + j] = (float) sum;
        }
      }
    }
    return out;
  }

  /** Of rᵀ, of full rank: r·(rᵀr)⁻¹ where the axis grows, (rrᵀ)⁻¹·r where it shrinks. */
  private static double[][] pseudoinverse(double[][] r) {
    int to = r.length;
    int size = r[0].length;
    boolean grows = to >= size;
    int n = grows ? size : to;
    double[][] gram = new double[n][n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        for (int k = 0; k < (grows ? to : size); k++) {
          gram[i][j] += grows ? r[k][i] * r[k][j] : r[i][k] * r[j][k];
        }
      }
    }
    double[][] inverse = inverse(gram);
    double[][] out = new double[to][size];
    for (int i = 0; i < to; i++) {
      for (int j = 0; j < size; j++) {
        for (int k = 0; k < n; k++) {
          out[i][j] += grows ? r[i][k] * inverse[k][j] : inverse[i][k] * r[k][j];
        }
      }
    }
    return out;
  }

  /** By Gauss and Jordan, pivots on the diagonal: the matrix is positive definite. */
  private static double[][] inverse(double[][] matrix) {
    int n = matrix.length;
    double[][] left = matrix.clone();
    double[][] right = new double[n][n];
    for (int i = 0; i < n; i++) {
      left[i] = matrix[i].clone();
      right[i][i] = 1;
    }
    for (int p = 0; p < n; p++) {
      double pivot = left[p][p];
      for (int j = 0; j < n; j++) {
        left[p][j] /= pivot;
        right[p][j] /= pivot;
      }
      for (int i = 0; i < n; i++) {
        double factor = left[i][p];
        for (int j = 0; i != p && factor != 0 && j < n; j++) {
          left[i][j] -= factor * left[p][j];
          right[i][j] -= factor * right[p][j];
        }
      }
    }
    return right;
  }
}
