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
    Rows rows = new Rows(in, across, across.same() ? null : Weights.of(across, interpolation));
    byte[] out = new byte[3 * across.count * down.count];
    if (down.same()) {
      copy(rows, (int) down.first, out);
    } else {
      down(rows, Weights.of(down, interpolation), out);
    }
    return new Rgb(across.count, down.count, out);
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

  /** Rows from {@code first} on, until {@code out} is full. */
  private static void copy(Rows rows, int first, byte[] out) {
    rows.hold(first, 2);
    for (int to = 0; to < out.length; to += rows.length) {
      rows.compute(first + 1);
      narrow(rows.at(first++), out, to);
    }
  }

  /** The vertical pass. Its loops run along rows, which compilers make vectors of. */
  private static void down(Rows rows, Weights weights, byte[] out) {
    rows.hold(weights.start[0], weights.stride + 1);
    int[] sum = new int[rows.length];
    for (int y = 0; y < weights.start.length; y++) {
      Arrays.fill(sum, HALF);
      int from = weights.start[y];
      int weight = y * weights.stride;
      int count = weights.length[y];
      rows.compute(from + count);
      int i = 0;
      for (; i + 1 < count; i += 2) {
        int[] row = rows.at(from + i);
        int[] next = rows.at(from + i + 1);
        add(row, weights.weight[weight + i], next, weights.weight[weight + i + 1], sum);
      }
      if (i < count) {
        add(rows.at(from + i), weights.weight[weight + i], sum);
      }
      clip(sum);
      narrow(sum, out, y * sum.length);
    }
  }

  private static void add(int[] row, int weight, int[] next, int nextWeight, int[] sum) {
    for (int i = 0; i < sum.length; i++) {
      sum[i] += row[i] * weight + next[i] * nextWeight;
    }
  }

  private static void add(int[] row, int weight, int[] sum) {
    for (int i = 0; i < sum.length; i++) {
      sum[i] += row[i] * weight;
    }
  }

  private static void clip(int[] sum) {
    for (int i = 0; i < sum.length; i++) {
      sum[i] = clipped(sum[i]);
    }
  }

  private static int clipped(int sum) {
    return Math.max(0, Math.min(255, sum >> PRECISION_BITS));
  }

  private static void narrow(int[] row, byte[] out, int to) {
    for (int i = 0; i < row.length; i++) {
      out[to + i] = (byte) row[i];
    }
  }

  /**
   * The rows of a picture after the horizontal pass, [3·column + channel]. They are computed one
   * after the other, two at once, and no more are held than the vertical pass reads together.
   */
  private static final class Rows {
    /** {@link #HALF} for both rows. */
    private static final long HALVES = (long) HALF << 32 | HALF;

    final int length;
    private final Rgb in;
    private final Weights weights;
    private final int left;
    private final long[] pairs;
    private int[][] held = {};
    private int end;

    /**
     * @param weights of the horizontal pass, or null where columns stay as they are
     */
    Rows(Rgb in, Axis across, Weights weights) {
      this.in = in;
      this.weights = weights;
      this.length = 3 * across.count;
      this.left = weights == null ? (int) across.first : weights.start[0];
      this.pairs = new long[weights == null ? 0 : 3 * (weights.end() - left)];
    }

    /** Begins with row {@code first}; holds as many as are read together and one, at least two. */
    void hold(int first, int count) {
      held = new int[count][length];
      end = first;
    }

    /** One of the rows that {@link #compute} made last. */
    int[] at(int row) {
      return held[row % held.length];
    }

    /** Computes the rows before {@code wanted} that are not yet. */
    void compute(int wanted) {
      while (end < wanted) {
        int next = Math.min(end + 1, in.height() - 1);
        if (weights == null) {
          widen(end, at(end));
          widen(next, at(next));
        } else {
          pair(end, next);
          filter(at(end), at(next));
        }
        end = next + 1;
      }
    }

    private void widen(int row, int[] to) {
      byte[] data = in.data();
      int from = 3 * (row * in.width() + left);
      for (int i = 0; i < length; i++) {
        to[i] = data[from + i] & 0xff;
      }
    }

    /** Two rows as the lower and the upper halves of numbers. */
    private void pair(int first, int second) {
      byte[] data = in.data();
      int from = 3 * (first * in.width() + left);
      int other = 3 * (second * in.width() + left);
      for (int i = 0; i < pairs.length; i++) {
        pairs[i] = (long) (data[other + i] & 0xff) << 32 | (data[from + i] & 0xff);
      }
    }

    /**
     * Weighted sums of both rows with one multiplication each. The sum of the lower half fits in 32
     * bits with its sign, so that subtracting it leaves that of the upper half.
     */
    private void filter(int[] first, int[] second) {
      for (int x = 0; x < weights.start.length; x++) {
        int from = 3 * (weights.start[x] - left);
        int weight = x * weights.stride;
        int weightEnd = weight + weights.length[x];
        long red = HALVES;
        long green = HALVES;
        long blue = HALVES;
        for (; weight < weightEnd; weight++) {
          long w = weights.weight[weight];
          red += pairs[from] * w;
          green += pairs[from + 1] * w;
          blue += pairs[from + 2] * w;
          from += 3;
        }
        int to = 3 * x;
        first[to] = clipped((int) red);
        first[to + 1] = clipped((int) green);
        first[to + 2] = clipped((int) blue);
        second[to] = clipped(upper(red));
        second[to + 1] = clipped(upper(green));
        second[to + 2] = clipped(upper(blue));
      }
    }

    private static int upper(long sums) {
      return (int) ((sums - (int) sums) >> 32);
    }
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
