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

  private static final int HALF = 1 << (PRECISION_BITS - 1);
  private static final long BOTH_HALVES = HALF | (long) HALF << 32;

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
    int firstRow = rows.start[0];
    int rowCount = rows.start[height - 1] + rows.length[height - 1] - firstRow;
    if (!vertical) {
      firstRow = 0;
      rowCount = in.height();
    }
    int[] samples;
    if (horizontal) {
      Weights columns = Weights.of(in.width(), left, right, width, interpolation);
      samples = horizontal(in, columns, width, firstRow, rowCount);
    } else {
      samples = samples(in, firstRow, rowCount);
    }
    byte[] out = vertical ? vertical(samples, 3 * width, rows, height, firstRow) : bytes(samples);
    return new Rgb(width, height, out);
  }

  /** Some rows as integers. */
  private static int[] samples(Rgb in, int firstRow, int rows) {
    byte[] data = in.data();
    int from = 3 * in.width() * firstRow;
    int[] out = new int[3 * in.width() * rows];
    for (int i = 0; i < out.length; i++) {
      out[i] = data[from + i] & 0xff;
    }
    return out;
  }

  private static byte[] bytes(int[] samples) {
    byte[] out = new byte[samples.length];
    for (int i = 0; i < out.length; i++) {
      out[i] = (byte) samples[i];
    }
    return out;
  }

  /**
   * Two rows at a time: the sums of both lie in one long, the first row's in its lower half. A sum
   * fits in 32 bits, so what the lower one borrows from the upper one is known from its sign.
   */
  private static int[] horizontal(Rgb in, Weights columns, int width, int firstRow, int rows) {
    int stride = 3 * in.width();
    int[] out = new int[3 * width * rows];
    long[] pair = new long[stride];
    for (int y = 0; y < rows; y += 2) {
      int second = Math.min(y + 1, rows - 1);
      pack(in.data(), (firstRow + y) * stride, (firstRow + second) * stride, pair);
      int to = 3 * width * y;
      int toSecond = 3 * width * second;
      for (int x = 0; x < width; x++) {
        long red = BOTH_HALVES;
        long green = BOTH_HALVES;
        long blue = BOTH_HALVES;
        int from = columns.start[x] * 3;
        int weight = x * columns.stride;
        for (int end = weight + columns.length[x]; weight < end; weight++) {
          long w = columns.weight[weight];
          red += pair[from] * w;
          green += pair[from + 1] * w;
          blue += pair[from + 2] * w;
          from += 3;
        }
        out[to++] = clip((int) red);
        out[to++] = clip((int) green);
        out[to++] = clip((int) blue);
        out[toSecond++] = clip(upper(red));
        out[toSecond++] = clip(upper(green));
        out[toSecond++] = clip(upper(blue));
      }
    }
    return out;
  }

  private static void pack(byte[] data, int first, int second, long[] pair) {
    for (int i = 0; i < pair.length; i++) {
      pair[i] = (data[first + i] & 0xff) | (long) (data[second + i] & 0xff) << 32;
    }
  }

  private static int upper(long pair) {
    return (int) ((pair - (int) pair) >> 32);
  }

  private static byte[] vertical(
      int[] samples, int stride, Weights rows, int height, int firstRow) {
    byte[] out = new byte[stride * height];
    int[] sum = new int[stride];
    for (int y = 0; y < height; y++) {
      Arrays.fill(sum, HALF);
      int from = (rows.start[y] - firstRow) * stride;
      for (int i = 0; i < rows.length[y]; i++) {
        add(samples, from, rows.weight[y * rows.stride + i], sum);
        from += stride;
      }
      int to = y * stride;
      for (int x = 0; x < stride; x++) {
        out[to + x] = (byte) clip(sum[x]);
      }
    }
    return out;
  }

  /** Apart, so that compilers make vectors of it. */
  private static void add(int[] samples, int from, int weight, int[] sum) {
    for (int x = 0; x < sum.length; x++) {
      sum[x] += samples[from + x] * weight;
    }
  }

  private static int clip(int sum) {
    return Math.max(0, Math.min(255, sum >> PRECISION_BITS));
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
