package org.ivit.train.parameter;

import java.util.Comparator;
import java.util.stream.IntStream;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.core.weight.GroupGrid;
import org.ivit.core.weight.TableGrid;
import org.ivit.core.weight.UniformGrid;
import org.ivit.core.weight.WeightCoding;
import org.ivit.core.weight.WeightGrid;

/**
 * How a weight grid is learned: as real numbers, the <i>points</i> of each output channel, in the
 * units of the weights, from which the channel's scale and its grid follow ({@code
 * docs/arithmetic.md#straight-through-gradients}). A group has one point, its step; a table one an
 * entry, in any order; a uniform grid one, the scale itself. Points of groups and tables are
 * stretched so that the largest of a channel is its scale times a power of two: so the scale of a
 * grid that uses its whole width comes back exactly.
 *
 * @param coding how an index becomes a code
 * @param bits width of an index
 * @param size inputs of a group; 0 where codes have none
 * @param shift of a group's codes; 0 where codes have none
 * @param learned whether training moves the points
 */
public record GridForm(WeightCoding coding, int bits, int size, int shift, boolean learned) {
  private static final int LARGEST_CODE = Byte.MAX_VALUE;
  private static final int CODES = 1 << (Byte.SIZE - 1);

  /** In codes: a weight that is nearer to the grid's end is there. */
  private static final double BEYOND = 0.5;

  /**
   * Checks that sizes belong together.
   *
   * @throws org.ivit.core.InputException naming what does not fit
   */
  public GridForm {
    WeightGrid.requireBits(bits);
    if (coding == WeightCoding.GROUP) {
      new GroupGrid(bits, 1, size, shift, new byte[] {1});
    }
  }

  /**
   * The grid of points.
   *
   * @param grid what codes of the weights lie on
   * @param scale of each output channel
   * @param order for each entry of a table, [outputs][2^bits], the point that it is; null where
   *     there is no table
   */
  public record Rounded(WeightGrid grid, float[] scale, int[] order) {}

  /**
   * The form of a grid.
   *
   * @param learned whether training moves its points
   */
  public static GridForm of(WeightGrid grid, boolean learned) {
    return grid instanceof GroupGrid group
        ? new GridForm(grid.coding(), grid.bits(), group.size(), group.shift(), learned)
        : new GridForm(grid.coding(), grid.bits(), 0, 0, learned);
  }

  /**
   * How many points a channel has.
   *
   * @param inputs number of input channels
   */
  public int points(int inputs) {
    return switch (coding) {
      case TABLE -> 1 << bits;
      case GROUP -> GroupGrid.groups(inputs, size);
      case UNIFORM -> 1;
    };
  }

  /**
   * The points of a grid. Where a channel does not use the whole width, no code of ±127 or no
   * largest multiplier, {@link #rounded} answers with a finer scale and the codes nearest to these.
   *
   * @param grid of this form
   * @param scale of each output channel
   * @return [outputs][points], float32
   */
  public float[] points(WeightGrid grid, float[] scale) {
    if (grid instanceof TableGrid table) {
      return points(table.table(), scale, (double) CODES / LARGEST_CODE);
    }
    if (grid instanceof GroupGrid group) {
      return points(group.multiplier(), scale, top() / most());
    }
    return scale.clone();
  }

  private static float[] points(byte[] integers, float[] scale, double stretch) {
    int each = integers.length / scale.length;
    float[] points = new float[integers.length];
    for (int i = 0; i < points.length; i++) {
      points[i] = (float) (scale[i / each] * (integers[i] * stretch));
    }
    return points;
  }

  /** The greatest multiplier. */
  private double most() {
    return GroupGrid.most(bits, shift);
  }

  /** The largest point of a channel over its scale. */
  private double top() {
    int above = Integer.highestOneBit(GroupGrid.most(bits, shift)) << 1;
    return Math.scalb((double) above, -shift);
  }

  /**
   * The grid that points stand for, and its scales: multipliers {@code clamp(rint(M·u / max u), 1,
   * M)}, entries {@code rint(127·u / max |u|)} in ascending order.
   *
   * @param points [outputs][points], float32
   * @param outputs number of output channels
   * @param inputs number of input channels
   */
  public Rounded rounded(float[] points, int outputs, int inputs) {
    return switch (coding) {
      case TABLE -> table(points, outputs);
      case GROUP -> group(points, outputs, inputs);
      case UNIFORM -> {
        float[] scale = new float[outputs];
        for (int c = 0; c < outputs; c++) {
          scale[c] = Math.max(points[c], Quantizer.MIN_SCALE);
        }
        yield new Rounded(new UniformGrid(bits), scale, null);
      }
    };
  }

  private Rounded group(float[] points, int outputs, int inputs) {
    int groups = points(inputs);
    double top = top();
    int most = (int) most();
    float[] scale = new float[outputs];
    byte[] multiplier = new byte[points.length];
    for (int c = 0; c < outputs; c++) {
      float largest = 0;
      for (int g = c * groups; g < (c + 1) * groups; g++) {
        largest = Math.max(largest, points[g]);
      }
      scale[c] = Math.max((float) (largest / top), Quantizer.MIN_SCALE);
      double multipliers = most / (scale[c] * top);
      for (int g = c * groups; g < (c + 1) * groups; g++) {
        multiplier[g] = (byte) Math.max(1, Math.min(most, Math.rint(points[g] * multipliers)));
      }
    }
    return new Rounded(new GroupGrid(bits, inputs, size, shift, multiplier), scale, null);
  }

  private Rounded table(float[] points, int outputs) {
    int entries = 1 << bits;
    float[] scale = new float[outputs];
    byte[] table = new byte[points.length];
    int[] order = new int[points.length];
    for (int c = 0; c < outputs; c++) {
      int from = c * entries;
      float largest = 0;
      for (int i = from; i < from + entries; i++) {
        largest = Math.max(largest, Math.abs(points[i]));
      }
      scale[c] = Math.max(largest / CODES, Quantizer.MIN_SCALE);
      double codes = LARGEST_CODE / ((double) scale[c] * CODES);
      int[] ascending =
          IntStream.range(0, entries)
              .boxed()
              .sorted(Comparator.comparingDouble((Integer i) -> points[from + i]))
              .mapToInt(Integer::intValue)
              .toArray();
      for (int i = 0; i < entries; i++) {
        order[from + i] = ascending[i];
        table[from + i] = (byte) Math.rint(points[from + ascending[i]] * codes);
      }
    }
    return new Rounded(new TableGrid(bits, table), scale, order);
  }

  /**
   * Adds the gradient of a channel's points, indices held fast, and takes that of its weights away
   * where they are beyond the grid's ends.
   *
   * @param rounded of the points
   * @param channel output channel
   * @param weight of the channel, [inputs], float32
   * @param indices of the weights, [inputs]
   * @param gradient of the channel's dequantized weights, [inputs]; becomes that of its weights
   * @param points added to, [points]
   */
  public void gradient(
      Rounded rounded,
      int channel,
      float[] weight,
      byte[] indices,
      double[] gradient,
      double[] points) {
    WeightGrid grid = rounded.grid();
    float reciprocal = Quantizer.reciprocal(rounded.scale()[channel]);
    int last = (1 << bits) - 1;
    for (int k = 0; k < weight.length; k++) {
      double value = reciprocal * weight[k];
      int index = indices[k];
      points[point(rounded, channel, k, index)] += gradient[k] * slope(index);
      boolean below = value < grid.code(channel, k, 0) - BEYOND;
      boolean above = value > grid.code(channel, k, last) + BEYOND;
      if (below || above) {
        gradient[k] = 0;
      }
    }
  }

  private int point(Rounded rounded, int channel, int input, int index) {
    return switch (coding) {
      case TABLE -> rounded.order()[(channel << bits) + index];
      case GROUP -> input / size;
      case UNIFORM -> 0;
    };
  }

  /** The derivative of a dequantized weight by its point. */
  private double slope(int index) {
    int q = index - (1 << (bits - 1));
    return switch (coding) {
      case TABLE -> (double) LARGEST_CODE / CODES;
      case GROUP -> q * most() / Math.scalb(top(), shift);
      case UNIFORM -> q;
    };
  }
}
