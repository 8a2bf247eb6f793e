package org.ivit.train.operator.rows;

import org.ivit.core.InputException;
import org.ivit.core.arithmetic.Activation;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.graph.Gelu;
import org.ivit.train.memory.Gemm;
import org.ivit.train.memory.RealType;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.Chunk;
import org.ivit.train.operator.integer.Codes;
import org.ivit.train.operator.integer.QuantGelu;
import org.ivit.train.parameter.ParameterLayout;

/**
 * GELU in integers on its own ({@code docs/arithmetic.md#gelu}): rows of numbers, quantized to 8
 * bits, to rows of dequantized 8-bit codes. No parameters; nodes {@code NAME.input} and {@code
 * NAME.gelu}.
 */
public final class ShiftGeluOperator extends RowOperator {
  private static final String KEY = "gelu";

  private final String node;
  private final int channels;
  private final GeluForm form;
  private final QuantGelu gelu;

  /**
   * @param name for node names and messages
   * @param channels length of a row, over which form {@code row} takes its maximum
   * @param form the paper's, its variant by element, or the exact one
   * @throws InputException for {@code asymmetric}, whose offset only a block can take back
   */
  public ShiftGeluOperator(String name, int channels, GeluForm form) {
    super(new ParameterLayout(), name, channels, 8, KEY, channels, 8);
    this.node = name + "." + KEY;
    this.channels = channels;
    if (form == GeluForm.ASYMMETRIC) {
      throw new InputException(
          name + ": GELU form asymmetric is of a whole block, expected row, element or exact");
    }
    this.form = form;
    this.gelu = new QuantGelu(node, channels, Activation.GELU);
  }

  @Override
  void prepare(Reals weights, float inputScale, float outputScale, RealType type) {
    gelu.prepare(
        Gelu.of(
            node,
            form,
            Activation.GELU,
            inputScale,
            OutlierChannels.NONE,
            outputScale,
            OutlierChannels.NONE),
        form,
        inputScale,
        OutlierChannels.NONE,
        type);
  }

  @Override
  void forward(Gemm gemm, short[] x, short[] out, Chunk chunk) {
    int n = chunk.count() * channels;
    byte[] codes = chunk.keep().bytes("gelu.input", n);
    Codes.narrow(x, codes, n);
    byte[] narrow = chunk.scratch().bytes("gelu.output", n);
    gelu.forward(codes, narrow, chunk.count(), chunk.seen());
    Codes.widen(narrow, out, n);
  }

  @Override
  Reals backward(Gemm gemm, short[] x, Reals g, Reals gradients, Chunk chunk) {
    gelu.backward(chunk.keep().bytes("gelu.input", 0), g, chunk.count(), chunk.scratch());
    return g;
  }
}
