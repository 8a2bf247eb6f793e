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
    return part(
        in,
        new Axis(in.width(), left, right, width, 0, width),
        new Axis(in.height(), top, bottom, height, 0, height),
        interpolation);
  }

  /**
   * A rectangle of the whole picture resized to {@code width} × {@code height}: the same bytes as
   * {@code resize(in, width, height, interpolation).crop(x, y, partWidth, partHeight)}, of which
   * nothing but that rectangle is computed.
   *
   * @param width of the resized picture, which is not held in memory, as is the height
   * @throws IllegalArgumentException if a size is below 1 or the rectangle is not inside
   */
  public static Rgb resizePart(
      Rgb in,
      long width,
      long height,
      Interpolation interpolation,
      long x,
      long y,
      int partWidth,
      int partHeight) {
    if (partWidth < 1 || partHeight < 1 || 3L * partWidth * partHeight > Integer.MAX_VALUE) {
      throw new IllegalArgumentException("part of " + partWidth + "x" + partHeight);
    }
    if (x < 0 || y < 0 || x > width - partWidth || y > height - partHeight) {
      throw new IllegalArgumentException(
          "part %s,%s %sx%s of %sx%s".formatted(x, y, partWidth, partHeight, width, height));
    }
    return part(
        in,
        new Axis(in.width(), 0, in.width(), width, x, partWidth),
        new Axis(in.height(), 0, in.height(), height, y, partHeight),
        interpolation);
  }

  private static Rgb part(Rgb in, Axis across, Axis down, Interpolation interpolation) {
    if (across.same() && down.same()) {
      return in.crop((int) across.first, (int) down.first, across.count, down.count);
    }
    int first = (int) down.first;
    int end = first + down.count;
    Weights rows = null;
    if (!down.same()) {
      rows = Weights.of(down, interpolation);
      first = rows.start[0];
      end = rows.end();
    }
    int[][] lines;
    if (across.same()) {
      int left = (int) across.first;
      lines = rows(in, first, end, left, left + across.count);
    } else {
      Weights columns = Weights.of(across, interpolation);
      int left = columns.start[0];
      lines = transposed(filter(columns(in, first, end, left, columns.end()), columns, 3, left));
    }
    return rgb(rows == null ? lines : filter(lines, rows, 1, first), across.count);
  }

  /**
   * One direction of a resize.
   *
   * @param inputs length of the picture's side
   * @param from where the part begins that is resized
   * @param to where it ends
   * @param outputs what its length becomes
   * @param first the first output wanted
   * @param count how many are
   */
  private record Axis(int inputs, float from, float to, long outputs, long first, int count) {
    boolean same() {
      return outputs == inputs && from == 0 && to == outputs;
    }
  }

  /** The rows of a rectangle of a picture: [row][3·column + channel]. */
  private static int[][] rows(Rgb in, int first, int end, int left, int right) {
    byte[] data = in.data();
    int[][] rows = new int[end - first][3 * (right - left)];
    for (int y = first; y < end; y++) {
      int[] row = rows[y - first];
      int from = 3 * (y * in.width() + left);
      for (int i = 0; i < row.length; i++) {
        row[i] = data[from + i] & 0xff;
      }
    }
    return rows;
  }

  /** The columns of a rectangle of a picture: [3·column + channel][row]. */
  private static int[][] columns(Rgb in, int first, int end, int left, int right) {
    byte[] data = in.data();
    int stride = 3 * in.width();
    int[][] columns = new int[3 * (right - left)][end - first];
    for (int block = first; block < end; block += BLOCK) {
      int blockEnd = Math.min(end, block + BLOCK);
      for (int i = 0; i < columns.length; i++) {
        int[] column = columns[i];
        for (int y = block; y < blockEnd; y++) {
          column[y - first] = data[y * stride + 3 * left + i] & 0xff;
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

    /** The position after the last input that any output needs. */
    int end() {
      return start[start.length - 1] + length[start.length - 1];
    }

    static Weights of(Axis axis, Interpolation filter) {
      double scale = (double) (axis.to - axis.from) / axis.outputs;
      double filterScale = Math.max(scale, 1.0);
      double support = filter.support() * filterScale;
      Weights weights = new Weights(axis.count, (int) Math.ceil(support) * 2 + 1);
      double inverse = 1.0 / filterScale;
      double[] w = new double[weights.stride];
      for (int x = 0; x < axis.count; x++) {
        double center = axis.from + (axis.first + x + 0.5) * scale;
        int start = Math.max(0, (int) (center - support + 0.5));
        int length = Math.min(axis.inputs, (int) (center + support + 0.5)) - start;
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
