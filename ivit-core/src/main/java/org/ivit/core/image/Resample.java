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

  /** Numbers whose cache lines are near each other where lines and columns are exchanged. */
  private static final int BLOCK = 16;

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
    int first = vertical ? rows.start[0] : 0;
    int end = vertical ? rows.start[height - 1] + rows.length[height - 1] : height;
    int[][] lines;
    if (horizontal) {
      Weights columns = Weights.of(in.width(), left, right, width, interpolation);
      lines = transposed(filter(columns(in, first, end), columns, 3, 0));
    } else {
      lines = rows(in, first, end);
    }
    return rgb(vertical ? filter(lines, rows, 1, first) : lines, width);
  }

  /** The rows of a part of a picture: [row][3·column + channel]. */
  private static int[][] rows(Rgb in, int first, int end) {
    byte[] data = in.data();
    int[][] rows = new int[end - first][3 * in.width()];
    for (int y = first; y < end; y++) {
      int[] row = rows[y - first];
      int from = y * row.length;
      for (int i = 0; i < row.length; i++) {
        row[i] = data[from + i] & 0xff;
      }
    }
    return rows;
  }

  /** The columns of some rows: [3·column + channel][row]. */
  private static int[][] columns(Rgb in, int first, int end) {
    byte[] data = in.data();
    int stride = 3 * in.width();
    int[][] columns = new int[stride][end - first];
    for (int block = first; block < end; block += BLOCK) {
      int blockEnd = Math.min(end, block + BLOCK);
      for (int i = 0; i < stride; i++) {
        int[] column = columns[i];
        for (int y = block; y < blockEnd; y++) {
          column[y - first] = data[y * stride + i] & 0xff;
        }
      }
    }
    return columns;
  }

  private static int[][] transposed(int[][] lines) {
    int[][] out = new int[lines[0].length][lines.length];
    for (int block = 0; block < lines.length; block += BLOCK) {
      int blockEnd = Math.min(lines.length, block + BLOCK);
      for (int y = 0; y < out.length; y++) {
        int[] row = out[y];
        for (int i = block; i < blockEnd; i++) {
          row[i] = lines[i][y];
        }
      }
    }
    return out;
  }

  /**
   * Weighted sums of whole lines, rounded to bytes. The loops run along lines, which compilers make
   * vectors of; so the horizontal pass takes columns for lines.
   *
   * @param lines [positions·group][…]
   * @param weights whose positions are counted from {@code first} on
   * @param group lines of a position, which are kept apart
   */
  private static int[][] filter(int[][] lines, Weights weights, int group, int first) {
    int outputs = weights.start.length;
    int[][] out = new int[outputs * group][lines[0].length];
    for (int x = 0; x < outputs; x++) {
      for (int c = 0; c < group; c++) {
        int[] sum = out[x * group + c];
        Arrays.fill(sum, HALF);
        int from = (weights.start[x] - first) * group + c;
        int weight = x * weights.stride;
        int count = weights.length[x];
        int i = 0;
        for (; i + 1 < count; i += 2) {
          int[] line = lines[from + i * group];
          int[] next = lines[from + (i + 1) * group];
          add(line, weights.weight[weight + i], next, weights.weight[weight + i + 1], sum);
        }
        if (i < count) {
          add(lines[from + i * group], weights.weight[weight + i], sum);
        }
        clip(sum);
      }
    }
    return out;
  }

  private static void add(int[] line, int weight, int[] next, int nextWeight, int[] sum) {
    for (int i = 0; i < sum.length; i++) {
      sum[i] += line[i] * weight + next[i] * nextWeight;
    }
  }

  private static void add(int[] line, int weight, int[] sum) {
    for (int i = 0; i < sum.length; i++) {
      sum[i] += line[i] * weight;
    }
  }

  private static void clip(int[] sum) {
    for (int i = 0; i < sum.length; i++) {
      sum[i] = Math.max(0, Math.min(255, sum[i] >> PRECISION_BITS));
    }
  }

  private static Rgb rgb(int[][] rows, int width) {
    byte[] out = new byte[3 * width * rows.length];
    for (int y = 0; y < rows.length; y++) {
      int[] row = rows[y];
      int to = y * row.length;
      for (int i = 0; i < row.length; i++) {
        out[to + i] = (byte) row[i];
      }
    }
    return new Rgb(width, rows.length, out);
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
