package org.ivit.djl.ndarray;

/**
 * A picture of another size, as DJL's PyTorch engine makes it: sums in float32, along the width
 * first.
 *
 * @param rows weights along the height
 * @param columns weights along the width
 * @param channels of a pixel
 */
record Resize(ResizeWeights rows, ResizeWeights columns, int channels) {
  /**
   * @param from pictures
   * @param offset where one begins, [height][width][channels]
   * @param height of this
   * @param width of this
   * @param out where its values go from {@code to} on, the same of the new height and width
   */
  void apply(float[] from, int offset, int height, int width, float[] out, int to) {
    int newWidth = columns.first().length;
    float[] narrow = new float[Math.multiplyExact(height * channels, newWidth)];
    for (int y = 0; y < height; y++) {
      int row = offset + y * width * channels;
      for (int x = 0; x < newWidth; x++) {
        int first = row + columns.first()[x] * channels;
        int at = (y * newWidth + x) * channels;
        for (int c = 0; c < channels; c++) {
          narrow[at + c] = sum(from, first + c, channels, columns.weights()[x]);
        }
      }
    }
    int stride = newWidth * channels;
    for (int y = 0; y < rows.first().length; y++) {
      int first = rows.first()[y] * stride;
      for (int i = 0; i < stride; i++) {
        out[to + y * stride + i] =
            sum(narrow, first + i, stride, rows.weights()[y])
                / rows.divisors()[y]
                / columns.divisors()[i / channels];
      }
    }
  }

  private static float sum(float[] values, int first, int stride, float[] weights) {
    float sum = 0;
    for (int k = 0; k < weights.length; k++) {
      sum += values[first + k * stride] * weights[k];
    }
    return sum;
  }
}
