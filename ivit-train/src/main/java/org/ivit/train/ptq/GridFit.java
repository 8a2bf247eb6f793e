package org.ivit.train.ptq;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.core.weight.GroupGrid;
import org.ivit.core.weight.TableGrid;
import org.ivit.core.weight.UniformGrid;
import org.ivit.core.weight.WeightCoding;
import org.ivit.core.weight.WeightGrid;

/**
 * The grid of a linear layer's weights and the scales of its channels, before any weight is
 * rounded: those with a small error Σ h[k]·(w[k] − ŵ[k])² of the nearest codes, h being the
 * diagonal of the second moment of the layer's inputs.
 *
 * @param grid what indices decode to
 * @param scale of each output channel, [outputs]
 */
record GridFit(WeightGrid grid, float[] scale) {
  /** Scales that are tried, as parts of the one that holds the largest weight. */
  private static final double[] FRACTIONS =
      IntStream.rangeClosed(0, 23).mapToDouble(i -> 1.1 - 0.03 * i).toArray();

  /** Shifts of groups' codes, by bits: with it multipliers have at least four bits. */
  private static final int[] SHIFTS = {0, 0, 0, 0, 0, 2, 3, 3};

  private static final int CODE_MAX = Byte.MAX_VALUE;
  private static final int MOST_ROUNDS = 60;

  /**
   * @param coding how indices become codes
   * @param bits of an index
   * @param weight [outputs][inputs]
   * @param diagonal of the inputs' second moment, [inputs], not negative
   */
  static GridFit of(WeightCoding coding, int bits, float[] weight, double[] diagonal) {
    int outputs = weight.length / diagonal.length;
    return switch (coding) {
      case UNIFORM -> uniform(bits, weight, diagonal, outputs);
      case GROUP -> group(bits, weight, diagonal, outputs);
      case TABLE -> table(bits, weight, diagonal, outputs);
    };
  }

  /**
   * A grid of the size that {@link #of} makes, for layers whose inputs were not seen yet.
   *
   * @param outputs number of output channels
   * @param inputs number of input channels
   */
  static WeightGrid standIn(WeightCoding coding, int bits, int outputs, int inputs) {
    return switch (coding) {
      case UNIFORM -> new UniformGrid(bits);
      case GROUP -> {
        int size = GroupGrid.USUAL_SIZE;
        byte[] multiplier = new byte[outputs * GroupGrid.groups(inputs, size)];
        Arrays.fill(multiplier, (byte) GroupGrid.most(bits, SHIFTS[bits]));
        yield new GroupGrid(bits, inputs, size, SHIFTS[bits], multiplier);
      }
      case TABLE -> {
        byte[] table = new byte[outputs << bits];
        for (int i = 0; i < table.length; i++) {
          int entry = i & ((1 << bits) - 1);
          table[i] = (byte) ((entry << (Byte.SIZE - bits)) + Byte.MIN_VALUE);
        }
        yield new TableGrid(bits, table);
      }
    };
  }

  private static GridFit uniform(int bits, float[] weight, double[] diagonal, int outputs) {
    float[] scale = new float[outputs];
    for (int c = 0; c < outputs; c++) {
      int from = c * diagonal.length;
      scale[c] = atLeast(scaleOf(weight, from, from + diagonal.length, diagonal, 0, bits));
    }
    return new GridFit(new UniformGrid(bits), scale);
  }

  private static GridFit group(int bits, float[] weight, double[] diagonal, int outputs) {
    int inputs = diagonal.length;
    int size = GroupGrid.USUAL_SIZE;
    int groups = GroupGrid.groups(inputs, size);
    int shift = SHIFTS[bits];
    int most = GroupGrid.most(bits, shift);
    float[] scale = new float[outputs];
    byte[] multiplier = new byte[outputs * groups];
    double[] own = new double[groups];
    for (int c = 0; c < outputs; c++) {
      double largest = 0;
      for (int g = 0; g < groups; g++) {
        int first = g * size;
        int end = Math.min(inputs, first + size);
        int from = c * inputs;
        own[g] = scaleOf(weight, from + first, from + end, diagonal, first, bits);
        largest = Math.max(largest, own[g]);
      }
      scale[c] = atLeast(largest * (1 << shift) / most);
      for (int g = 0; g < groups; g++) {
        double m = Math.rint(own[g] * (1 << shift) / scale[c]);
        multiplier[c * groups + g] = (byte) Math.max(1, Math.min(most, m));
      }
    }
    return new GridFit(new GroupGrid(bits, inputs, size, shift, multiplier), scale);
  }

  /** The scale of weights from..end with codes −2^(bits−1) to 2^(bits−1) − 1; 0 for zeros. */
  private static double scaleOf(
      float[] weight, int from, int end, double[] diagonal, int first, int bits) {
    double largest = 0;
    for (int i = from; i < end; i++) {
      largest = Math.max(largest, Math.abs((double) weight[i]));
    }
    int most = (1 << (bits - 1)) - 1;
    double best = 0;
    double least = Double.POSITIVE_INFINITY;
    for (double fraction : FRACTIONS) {
      double scale = fraction * largest / most;
      double error = 0;
      for (int i = from; i < end && scale > 0; i++) {
        double code = Math.max(-most - 1, Math.min(most, Math.rint(weight[i] / scale)));
        double lost = weight[i] - code * scale;
        error += diagonal[first + i - from] * lost * lost;
      }
      if (error < least) {
        least = error;
        best = scale;
      }
    }
    return best;
  }

  private static float atLeast(double scale) {
    return Math.max((float) scale, Quantizer.MIN_SCALE);
  }

  private static GridFit table(int bits, float[] weight, double[] diagonal, int outputs) {
    int inputs = diagonal.length;
    int size = 1 << bits;
    float[] scale = new float[outputs];
    byte[] table = new byte[outputs * size];
    for (int c = 0; c < outputs; c++) {
      double[] entries =
          clusters(Arrays.copyOfRange(weight, c * inputs, (c + 1) * inputs), diagonal, size);
      double largest = Math.max(-entries[0], entries[size - 1]);
      scale[c] = atLeast(largest / CODE_MAX);
      for (int i = 0; i < size; i++) {
        table[c * size + i] = (byte) Math.rint(Math.max(-CODE_MAX, entries[i] / scale[c]));
      }
    }
    return new GridFit(new TableGrid(bits, table), scale);
  }

  /**
   * Weighted k-means of one channel, the best of three starts: quantiles, even steps, and halfway
   * between them.
   *
   * @return ascending, [size]
   */
  private static double[] clusters(float[] weight, double[] diagonal, int size) {
    int[] order =
        IntStream.range(0, weight.length)
            .boxed()
            .sorted((a, b) -> Float.compare(weight[a], weight[b]))
            .mapToInt(Integer::intValue)
            .toArray();
    double[] values = new double[weight.length];
    double[] counts = new double[weight.length];
    double mean = Arrays.stream(diagonal).average().orElse(0);
    for (int i = 0; i < values.length; i++) {
      values[i] = weight[order[i]];
      counts[i] = mean > 0 ? diagonal[order[i]] : 1;
    }
    double[] best = null;
    double least = Double.POSITIVE_INFINITY;
    for (int start = 0; start < 3; start++) {
      double[] centres = new double[size];
      double low = values[0];
      double high = values[values.length - 1];
      for (int i = 0; i < size; i++) {
        double part = (i + 0.5) / size;
        double quantile = values[(int) (part * values.length)];
        double even = low + (high - low) * i / (size - 1);
        centres[i] = quantile + (even - quantile) * start / 2;
      }
      double error = improve(values, counts, centres);
      if (error < least) {
        least = error;
        best = centres;
      }
    }
    return best;
  }

  /** Lloyd's steps on sorted values until nothing moves; answers the error. */
  private static double improve(double[] values, double[] counts, double[] centres) {
    double before = Double.POSITIVE_INFINITY;
    for (int round = 0; round < MOST_ROUNDS; round++) {
      double error = 0;
      double[] sums = new double[centres.length];
      double[] totals = new double[centres.length];
      int at = 0;
      for (int i = 0; i < values.length; i++) {
        while (at + 1 < centres.length
            && Math.abs(centres[at + 1] - values[i]) < Math.abs(centres[at] - values[i])) {
          at++;
        }
        double lost = values[i] - centres[at];
        error += counts[i] * lost * lost;
        sums[at] += counts[i] * values[i];
        totals[at] += counts[i];
      }
      if (error >= before) {
        return before;
      }
      before = error;
      for (int j = 0; j < centres.length; j++) {
        if (totals[j] > 0) {
          centres[j] = sums[j] / totals[j];
        }
      }
      Arrays.sort(centres);
    }
    return before;
  }
}
