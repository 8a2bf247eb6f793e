package org.ivit.core.image;

import java.util.Arrays;

/**
 * Pillow's {@code Image.resize} for 8-bit pictures, equal in every byte: separable filters widened
 * for antialiasing, weights in 22-bit fixed point, a horizontal pass rounded to bytes and then a
 * vertical one (Pillow, {@code libImaging/Resample.c}).
 */
public final class Resample {
  /** 32 bits less 8 of the pixel and 2 for overshoot: weights sum to 2^22. */
  private static final int PRECISION_BITS = 22;

  private Resample() {}

  /** The whole picture, resized to {@code width} × {@code height}. */
  public static Rgb resize(Rgb in, int width, int height, Interpolation interpolation) {
    return resize(in, width, height, interpolation, 0, 0, in.width(), in.height());
  }

  /**
   * The part of the picture in a box of fractional corners, resized to {@code width} × {@code
   * height}. As in Pillow, filters at the border of the box see the pixels outside of it; to keep
   * them out, crop first.
   *
   * @throws IllegalArgumentException if a size is below 1 or the box is not inside the picture
   */
  public static Rgb resize(
      Rgb in,
      int width,
      int height,
      Interpolation interpolation,
      float left,
      float top,
      float right,
      float bottom) {
    if (width < 1 || height < 1 || 3L * width * height > Integer.MAX_VALUE) {
      throw new IllegalArgumentException("resize to " + width + "x" + height);
    }
    if (!(left >= 0 && top >= 0 && right <= in.width() && bottom <= in.height())
        || !(left < right && top < bottom)) {
      throw new IllegalArgumentException(
          "box " + left + "," + top + " to " + right + "," + bottom + " of " + in);
    }
    boolean horizontal = width != in.width() || left != 0 || right != width;
    boolean vertical = height != in.height() || top != 0 || bottom != height;
    if (!horizontal && !vertical) {
      return new Rgb(in.width(), in.height(), in.data().clone());
    }
    Weights rows = Weights.of(in.height(), top, bottom, height, interpolation);
    Rgb out = in;
    int firstRow = 0;
    if (horizontal) {
      Weights columns = Weights.of(in.width(), left, right, width, interpolation);
      firstRow = rows.start[0];
      int lastRow = rows.start[height - 1] + rows.length[height - 1];
      out = horizontal(in, columns, width, firstRow, lastRow - firstRow);
    }
    return vertical ? vertical(out, rows, height, firstRow) : out;
  }

  private static Rgb horizontal(Rgb in, Weights columns, int width, int firstRow, int rows) {
    byte[] data = in.data();
    byte[] out = new byte[3 * width * rows];
    for (int y = 0; y < rows; y++) {
      int row = (firstRow + y) * in.width() * 3;
      int to = y * width * 3;
      for (int x = 0; x < width; x++) {
        int red = 1 << (PRECISION_BITS - 1);
        int green = red;
        int blue = red;
        int from = row + columns.start[x] * 3;
        int weight = x * columns.stride;
        for (int end = weight + columns.length[x]; weight < end; weight++) {
          int w = columns.weight[weight];
          red += (data[from] & 0xff) * w;
          green += (data[from + 1] & 0xff) * w;
          blue += (data[from + 2] & 0xff) * w;
          from += 3;
        }
        out[to] = clip(red);
        out[to + 1] = clip(green);
        out[to + 2] = clip(blue);
        to += 3;
      }
    }
    return new Rgb(width, rows, out);
  }

  private static Rgb vertical(Rgb in, Weights rows, int height, int firstRow) {
    byte[] data = in.data();
    int stride = in.width() * 3;
    byte[] out = new byte[stride * height];
    int[] sum = new int[stride];
    for (int y = 0; y < height; y++) {
      Arrays.fill(sum, 1 << (PRECISION_BITS - 1));
      int from = (rows.start[y] - firstRow) * stride;
      for (int i = 0; i < rows.length[y]; i++) {
        int w = rows.weight[y * rows.stride + i];
        for (int x = 0; x < stride; x++) {
          sum[x] += (data[from + x] & 0xff) * w;
        }
        from += stride;
      }
      for (int x = 0; x < stride; x++) {
        out[y * stride + x] = clip(sum[x]);
      }
    }
    return new Rgb(in.width(), height, out);
  }

  private static byte clip(int sum) {
    int value = sum >> PRECISION_BITS;
    return (byte) Math.max(0, Math.min(255, value));
  }

  /** For each output position: the first input position, how many, and their weights. */
  private static final class Weights {
    final int[] start;
    final int[] length;
    final int stride;
    final int[] weight;

    private Weights(int outputs, int stride) {
      this.start = new int[outputs];
      this.length = new int[outputs];
      this.stride = stride;
      this.weight = new int[outputs * stride];
    }

    static Weights of(int inputs, float from, float to, int outputs, Interpolation filter) {
      double scale = (double) (to - from) / outputs;
      double filterScale = Math.max(scale, 1.0);
      double support = filter.support() * filterScale;
      Weights weights = new Weights(outputs, (int) Math.ceil(support) * 2 + 1);
      double inverse = 1.0 / filterScale;
      double[] w = new double[weights.stride];
      for (int x = 0; x < outputs; x++) {
        double center = from + (x + 0.5) * scale;
        int start = Math.max(0, (int) (center - support + 0.5));
        int length = Math.min(inputs, (int) (center + support + 0.5)) - start;
        double total = 0;
        for (int i = 0; i < length; i++) {
          w[i] = filter.weight((i + start - center + 0.5) * inverse);
          total += w[i];
        }
        for (int i = 0; i < length; i++) {
          double normal = total != 0 ? w[i] / total : w[i];
          double scaled = normal * (1 << PRECISION_BITS);
          weights.weight[x * weights.stride + i] =
              normal < 0 ? (int) (-0.5 + scaled) : (int) (0.5 + scaled);
        }
        weights.start[x] = start;
        weights.length[x] = length;
      }
      return weights;
    }
  }
}
