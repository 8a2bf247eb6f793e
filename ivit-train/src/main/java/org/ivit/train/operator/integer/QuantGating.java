package org.ivit.train.operator.integer;

import java.util.Objects;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.core.arithmetic.Silu;
import org.ivit.core.graph.Gating;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.NativeRows;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.SeenRanges;

/**
 * SwiGLU of the quantized network on rows of a chunk: 8-bit codes of gates and values, [rows][
 * channels], to codes of their product.
 */
final class QuantGating {
  private static final int CODES = 256;

  private Gating node;
  private int channels;
  private double productScale;
  private double valueScale;
  private double[] silu;
  private double[] slopes;
  private int[] shift;
  private long[] half;

  /** Takes the node of this pass. */
  void prepare(Gating built, float gateScale, float scale) {
    node = built;
    channels = built.product().size();
    valueScale = scale;
    productScale = Gating.productScale(gateScale, scale);
    silu = new double[CODES];
    slopes = new double[CODES];
    for (int i = 0; i < CODES; i++) {
      double x = (i - CODES / 2) * (double) gateScale;
      silu[i] = Silu.value(x);
      slopes[i] = Silu.derivative(x);
    }
    shift = new int[channels];
    half = new long[channels];
    for (int c = 0; c < channels; c++) {
      shift[c] = built.product().shift()[c];
      half[c] = 1L << (shift[c] - 1);
    }
  }

  /**
   * @param out receives 8-bit codes
   * @param seen receives the values, or null
   */
  void forward(
      byte[] gates, byte[] values, byte[] out, int rows, SeenRanges seen, Buffers scratch) {
    if (NativeRows.serves(scratch.type(), channels)) {
      Objects.checkFromIndexSize(0, rows * channels, out.length);
      nativeForward(gates, values, false, out, rows, seen, scratch);
      return;
    }
    forward(gates, values, rows, seen, scratch, (i, code) -> out[i] = Quantizer.clamp8(code));
  }

  /** As that to 8-bit codes, to 16-bit ones. */
  void forward(
      byte[] gates, byte[] values, short[] out, int rows, SeenRanges seen, Buffers scratch) {
    if (NativeRows.serves(scratch.type(), channels)) {
      Objects.checkFromIndexSize(0, rows * channels, out.length);
      nativeForward(gates, values, true, out, rows, seen, scratch);
      return;
    }
    forward(gates, values, rows, seen, scratch, (i, code) -> out[i] = Quantizer.clamp16(code));
  }

  /** To a {@code byte[]}, or where {@code wide} to a {@code short[]}. */
  private void nativeForward(
      byte[] gates,
      byte[] values,
      boolean wide,
      Object out,
      int rows,
      SeenRanges seen,
      Buffers scratch) {
    Objects.checkFromIndexSize(0, rows * channels, Math.min(gates.length, values.length));
    int[] min = SeenRanges.smallest(seen, channels, scratch);
    int[] max = SeenRanges.largest(seen, channels, scratch);
    int[] multiplier = node.product().multiplier();
    NativeRows.gate(
        gates, values, rows, channels, node.table(), multiplier, half, shift, min, max, wide, out);
    if (seen != null) {
      observe(min, max, seen);
    }
  }

  /** Takes a requantized value that is not clamped yet. */
  private interface Sink {
    void put(int index, long value);
  }

  private void forward(
      byte[] gates, byte[] values, int rows, SeenRanges seen, Buffers scratch, Sink out) {
    int[] min = SeenRanges.smallest(seen, channels, scratch);
    int[] max = SeenRanges.largest(seen, channels, scratch);
    for (int r = 0; r < rows * channels; r += channels) {
      for (int c = 0; c < channels; c++) {
        int product = node.product(gates[r + c], values[r + c]);
        if (seen != null) {
          min[c] = Math.min(min[c], product);
          max[c] = Math.max(max[c], product);
        }
        out.put(r + c, node.product().apply(c, product));
      }
    }
    if (seen != null) {
      observe(min, max, seen);
    }
  }

  private void observe(int[] min, int[] max, SeenRanges seen) {
    for (int c = 0; c < channels; c++) {
      if (!node.outputOutliers().contains(c)) {
        seen.include(node.name(), min[c] * productScale, max[c] * productScale);
      }
    }
  }

  /**
   * Straight through ({@code docs/arithmetic.md#straight-through-gradients}).
   *
   * @param g gradient by the products; becomes that by the values
   * @param gGate receives the gradient by the gates
   */
  void backward(byte[] gates, byte[] values, Reals g, Reals gGate, int rows, Buffers scratch) {
    int size = rows * channels;
    if (NativeRows.serves(g)) {
      Objects.checkFromIndexSize(0, size, Math.min(gates.length, values.length));
      NativeRows.gateBackward(
          gates,
          values,
          size,
          silu,
          slopes,
          valueScale,
          NativeRows.address(g, 0, size),
          NativeRows.address(gGate, 0, size));
      return;
    }
    double[] row = scratch.doubles("gate.row", channels);
    double[] byGate = scratch.doubles("gate.gate", channels);
    for (int r = 0; r < size; r += channels) {
      g.get(r, row, 0, channels);
      for (int c = 0; c < channels; c++) {
        int at = gates[r + c] + CODES / 2;
        byGate[c] = row[c] * values[r + c] * valueScale * slopes[at];
        row[c] *= silu[at];
      }
      g.put(r, row, 0, channels);
      gGate.put(r, byGate, 0, channels);
    }
  }
}
