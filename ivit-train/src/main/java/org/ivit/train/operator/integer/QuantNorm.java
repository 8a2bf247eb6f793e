package org.ivit.train.operator.integer;

import java.util.Arrays;
import java.util.Objects;
import org.ivit.core.architecture.Node;
import org.ivit.core.arithmetic.ILayerNorm;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.core.graph.LayerNorm;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.NativeRows;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.SeenRanges;
import org.ivit.train.operator.floating.FloatKernels;
import org.ivit.train.parameter.ParameterLayout;

/** I-LayerNorm of the quantized network on rows of a chunk. */
public final class QuantNorm {
  private final String name;
  private final int channels;
  private final int weightFrom;
  private final int biasFrom;
  private LayerNorm node;
  private float inputScale;
  private double[] gamma;
  private double[] beta;
  private double[] factor;
  private long[] offset;

  /**
   * @param prefix what full names have before those within the operator
   * @param layout parameters of the operator
   * @param norm names its parameters too
   */
  public QuantNorm(String prefix, ParameterLayout layout, Node norm, int channels) {
    this.name = norm.name();
    this.channels = channels;
    this.weightFrom = layout.from((norm + ".weight").substring(prefix.length()));
    this.biasFrom = layout.from((norm + ".bias").substring(prefix.length()));
  }

  /** Takes the node of this pass. */
  public void prepare(LayerNorm built, Reals weights, float scale) {
    node = built;
    inputScale = scale;
    gamma = new double[channels];
    beta = new double[channels];
    factor = new double[channels];
    weights.get(weightFrom, gamma, 0, channels);
    weights.get(biasFrom, beta, 0, channels);
    for (int c = 0; c < channels; c++) {
      factor[c] = ILayerNorm.valueFactor((float) gamma[c], channels);
    }
    offset = new long[channels];
    for (int c = 0; c < channels; c++) {
      offset[c] = built.constants().offset()[c] + (1L << (built.constants().shift() - 1));
    }
  }

  LayerNorm node() {
    return node;
  }

  /**
   * @param x 16-bit codes, [rows][channels]
   * @param out 8-bit codes, [rows][channels]
   * @param seen receives the values, or null
   */
  public void forward(short[] x, byte[] out, int rows, SeenRanges seen, Buffers scratch) {
    if (NativeRows.serves(scratch.type(), channels)) {
      Objects.checkFromIndexSize(0, rows * channels, out.length);
      nativeForward(x, false, out, rows, seen, scratch);
      return;
    }
    forward(x, rows, seen, scratch, (i, value) -> out[i] = Quantizer.clamp8(value));
  }

  /** As {@link #forward(short[], byte[], int, SeenRanges, Buffers)}, to 16-bit codes. */
  public void forward(short[] x, short[] out, int rows, SeenRanges seen, Buffers scratch) {
    if (NativeRows.serves(scratch.type(), channels)) {
      Objects.checkFromIndexSize(0, rows * channels, out.length);
      nativeForward(x, true, out, rows, seen, scratch);
      return;
    }
    forward(x, rows, seen, scratch, (i, value) -> out[i] = Quantizer.clamp16(value));
  }

  /** To a {@code byte[]}, or where {@code wide} to a {@code short[]}. */
  private void nativeForward(
      short[] x, boolean wide, Object out, int rows, SeenRanges seen, Buffers scratch) {
    Objects.checkFromIndexSize(0, rows * channels, x.length);
    int[] min = SeenRanges.smallest(seen, channels, scratch);
    int[] max = SeenRanges.largest(seen, channels, scratch);
    NativeRows.normCodes(
        x,
        rows,
        channels,
        node.constants().multiplier(),
        offset,
        node.constants().shift(),
        node.constants().epsilon(),
        min,
        max,
        wide,
        out);
    if (seen != null) {
      observe(min, max, seen);
    }
  }

  /** Takes a requantized value that is not clamped yet. */
  private interface Sink {
    void put(int index, long value);
  }

  private void forward(short[] x, int rows, SeenRanges seen, Buffers scratch, Sink out) {
    int[] m = node.constants().multiplier();
    int e = node.constants().shift();
    long epsilon = node.constants().epsilon();
    int[] y = scratch.ints("norm.y", channels);
    int[] min = SeenRanges.smallest(seen, channels, scratch);
    int[] max = SeenRanges.largest(seen, channels, scratch);
    for (int r = 0; r < rows * channels; r += channels) {
      ILayerNorm.normalise(x, r, channels, epsilon, y);
      if (seen != null) {
        for (int c = 0; c < channels; c++) {
          min[c] = Math.min(min[c], y[c]);
          max[c] = Math.max(max[c], y[c]);
        }
      }
      for (int c = 0; c < channels; c++) {
        out.put(r + c, ((long) y[c] * m[c] + offset[c]) >> e);
      }
    }
    if (seen != null) {
      observe(min, max, seen);
    }
  }

  private void observe(int[] min, int[] max, SeenRanges seen) {
    double least = Double.POSITIVE_INFINITY;
    double largest = Double.NEGATIVE_INFINITY;
    for (int c = 0; c < channels; c++) {
      if (!node.outputOutliers().contains(c)) {
        double a = min[c] * factor[c] + beta[c];
        double b = max[c] * factor[c] + beta[c];
        least = Math.min(least, Math.min(a, b));
        largest = Math.max(largest, Math.max(a, b));
      }
    }
    seen.include(name, least, largest);
  }

  /**
   * Straight through ({@code docs/arithmetic.md#straight-through-gradients}). Adds the gradient by
   * x to what {@code gx} holds.
   *
   * @param x the codes of the forward pass
   * @param gx row r at {@code gxFrom + r·gxStride}
   */
  public void backward(
      short[] x,
      Reals gy,
      Reals gx,
      int gxFrom,
      int gxStride,
      Reals gradients,
      int rows,
      Buffers b) {
    int[] y = b.ints("norm.y", channels);
    double[] normalised = b.doubles("norm.x", channels);
    double[] g = b.doubles("norm.g", channels);
    double[] sum = b.doubles("norm.sum", channels);
    double[] gammaGradient = b.doubles("norm.gg", channels);
    double[] betaGradient = b.doubles("norm.gb", channels);
    Arrays.fill(gammaGradient, 0, channels, 0);
    Arrays.fill(betaGradient, 0, channels, 0);
    if (NativeRows.serves(gy, channels)) {
      Objects.checkFromIndexSize(0, rows * channels, x.length);
      NativeRows.normCodesBackward(
          x,
          rows,
          channels,
          node.constants().epsilon(),
          inputScale,
          gamma,
          NativeRows.address(gy, 0, rows * channels),
          NativeRows.address(gx, gxFrom, rows, gxStride, channels),
          gxStride,
          gammaGradient,
          betaGradient);
      FloatKernels.add(gammaGradient, channels, gradients, weightFrom, normalised);
      FloatKernels.add(betaGradient, channels, gradients, biasFrom, normalised);
      return;
    }
    double root = Math.sqrt(channels);
    long epsilon = node.constants().epsilon();
    for (int r = 0; r < rows; r++) {
      int std = ILayerNorm.normalise(x, r * channels, channels, epsilon, y);
      for (int c = 0; c < channels; c++) {
        normalised[c] = y[c] * root / 0x1p30;
      }
      gy.get(r * channels, g, 0, channels);
      gx.get(gxFrom + r * gxStride, sum, 0, channels);
      FloatKernels.normRowBackward(
          normalised,
          root / ((double) inputScale * std),
          gamma,
          g,
          sum,
          gammaGradient,
          betaGradient,
          channels);
      gx.put(gxFrom + r * gxStride, sum, 0, channels);
    }
    FloatKernels.add(gammaGradient, channels, gradients, weightFrom, normalised);
    FloatKernels.add(betaGradient, channels, gradients, biasFrom, normalised);
  }
}
