package org.ivit.train.operator.rows;

import org.ivit.core.architecture.LinearSpec;
import org.ivit.core.architecture.Node;
import org.ivit.core.architecture.NodeKind;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.QuantizedLinear;
import org.ivit.core.graph.build.NodeBuilder;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.Gemm;
import org.ivit.train.memory.RealType;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.Chunk;
import org.ivit.train.operator.SeenRanges;
import org.ivit.train.operator.integer.Codes;
import org.ivit.train.operator.integer.QuantLinear;
import org.ivit.train.parameter.ParameterKind;
import org.ivit.train.parameter.ParameterLayout;
import org.ivit.train.parameter.ParameterView;

/**
 * A linear layer in integers on its own ({@code
 * docs/arithmetic.md#linear-layers-and-matrix-products}): rows of {@code inputs} numbers, quantized
 * to 8 bits, to rows of {@code outputs} dequantized codes. Parameters {@code linear.weight}
 * [outputs, inputs] and {@code linear.bias} [outputs]; nodes {@code NAME.input} and {@code
 * NAME.linear}.
 */
public final class LinearOperator extends RowOperator {
  private static final String KEY = "linear";

  private final String name;
  private final int inputs;
  private final int outputs;
  private final int outputBits;
  private final LinearSpec layer;
  private final QuantLinear linear;

  /**
   * @param name for node names and messages
   * @param inputs input channels
   * @param outputs output channels
   * @param outputBits width of the output codes, 8 or 16
   */
  public LinearOperator(String name, int inputs, int outputs, int outputBits) {
    this(parameters(inputs, outputs), name, inputs, outputs, outputBits);
  }

  private LinearOperator(
      ParameterLayout layout, String name, int inputs, int outputs, int outputBits) {
    super(layout, name, inputs, 8, KEY, outputs, outputBits);
    if (outputBits != 8 && outputBits != 16) {
      throw new IllegalArgumentException(
          name + ": output of " + outputBits + " bits, expected 8 or 16");
    }
    this.name = name;
    this.inputs = inputs;
    this.outputs = outputs;
    this.outputBits = outputBits;
    this.layer =
        new LinearSpec(
            node(),
            // Of all kinds, those of that width that have no outlier channels.
            new Node(node(), outputBits == 8 ? NodeKind.QKV : NodeKind.BRANCH),
            Node.INPUT,
            inputs,
            outputs,
            true);
    this.linear = new QuantLinear(name + ".", layout, layer);
  }

  private static ParameterLayout parameters(int inputs, int outputs) {
    return new ParameterLayout()
        .add(KEY + ".weight", ParameterKind.WEIGHT, outputs, inputs)
        .add(KEY + ".bias", ParameterKind.BIAS, outputs);
  }

  private String node() {
    return name + "." + KEY;
  }

  @Override
  void prepare(Reals weights, float inputScale, float outputScale, RealType type) {
    NodeBuilder nodes =
        new NodeBuilder(ParameterView.of(layout(), name + ".", weights), Scheme.EXACT);
    QuantizedLinear quantized = linear.quantize(nodes, inputScale);
    linear.prepare(nodes.linear(layer, quantized, outputScale), type);
  }

  @Override
  void forward(Gemm gemm, short[] x, short[] out, Chunk chunk) {
    int rows = chunk.count();
    Buffers scratch = chunk.scratch();
    SeenRanges values = chunk.seen();
    Reals codes = chunk.keep().reals("linear.input", rows * inputs);
    codes.put(0, x, 0, rows * inputs);
    if (outputBits == 16) {
      linear.forward(gemm, codes, null, out, rows, OutlierChannels.NONE, values, scratch);
      return;
    }
    byte[] narrow = scratch.bytes("linear.output", rows * outputs);
    linear.forward(gemm, codes, null, narrow, rows, OutlierChannels.NONE, values, scratch);
    Codes.widen(narrow, out, rows * outputs);
  }

  @Override
  Reals backward(Gemm gemm, short[] x, Reals g, Reals gradients, Chunk chunk) {
    int rows = chunk.count();
    Reals codes = chunk.keep().reals("linear.input", 0);
    Reals gx = chunk.scratch().reals("linear.gradient", rows * inputs);
    linear.backward(gemm, codes, g, 0, gx, gradients, rows, chunk.scratch());
    return gx;
  }
}
