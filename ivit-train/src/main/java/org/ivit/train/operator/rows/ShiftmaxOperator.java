package org.ivit.train.operator.rows;

import org.ivit.core.arithmetic.SoftmaxForm;
import org.ivit.core.arithmetic.SoftmaxTable;
import org.ivit.train.memory.Gemm;
import org.ivit.train.memory.RealType;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.Chunk;
import org.ivit.train.operator.floating.FloatKernels;
import org.ivit.train.operator.integer.Codes;
import org.ivit.train.parameter.ParameterLayout;

/**
 * Softmax in integers on its own ({@code docs/arithmetic.md#softmax}): rows of numbers, quantized
 * to 8 bits, to rows of dequantized probabilities of scale 2^(1−b). No parameters; the one node
 * with a range is {@code NAME.input}.
 */
public final class ShiftmaxOperator extends RowOperator {
  private final String name;
  private final int channels;
  private final SoftmaxForm form;
  private final int bits;
  private SoftmaxTable table;

  /**
   * @param name for node names and messages
   * @param channels length of a row
   * @param form the paper's or the exact one
   * @param bits b, width of the probabilities, 2 to 16
   */
  public ShiftmaxOperator(String name, int channels, SoftmaxForm form, int bits) {
    super(new ParameterLayout(), name, channels, 8, null, channels, bits);
    if (bits < 2 || bits > 16) {
      throw new IllegalArgumentException(
          name + ": probabilities of " + bits + " bits, expected 2 to 16");
    }
    if (form == SoftmaxForm.DEFERRED) {
      throw new IllegalArgumentException(
          name + ": softmax form deferred has its probabilities divided in the context");
    }
    this.name = name;
    this.channels = channels;
    this.form = form;
    this.bits = bits;
  }

  @Override
  float fixedOutputScale() {
    return Math.scalb(1f, 1 - bits);
  }

  @Override
  void prepare(Reals weights, float inputScale, float outputScale, RealType type) {
    table = SoftmaxTable.of(name, form, inputScale, channels, bits);
  }

  @Override
  void forward(Gemm gemm, short[] x, short[] out, Chunk chunk) {
    int n = chunk.count() * channels;
    byte[] scores = chunk.scratch().bytes("softmax.scores", n);
    Codes.narrow(x, scores, n);
    for (int at = 0; at < n; at += channels) {
      table.row(scores, at, channels, null, 0, out, at);
    }
    chunk.keep().reals("softmax.output", n).put(0, out, 0, n);
  }

  @Override
  Reals backward(Gemm gemm, short[] x, Reals g, Reals gradients, Chunk chunk) {
    FloatKernels.softmaxBackward(
        chunk.keep().reals("softmax.output", 0),
        0,
        fixedOutputScale(),
        g,
        chunk.count(),
        channels,
        chunk.scratch().doubles("softmax.p", channels),
        chunk.scratch().doubles("softmax.g", channels));
    return g;
  }
}
