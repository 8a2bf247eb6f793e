package org.ivit.train.operator.rows;

import org.ivit.core.architecture.Node;
import org.ivit.core.architecture.NodeKind;
import org.ivit.core.graph.build.NodeBuilder;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.memory.Gemm;
import org.ivit.train.memory.RealType;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.Chunk;
import org.ivit.train.operator.integer.Codes;
import org.ivit.train.operator.integer.QuantNorm;
import org.ivit.train.parameter.ParameterKind;
import org.ivit.train.parameter.ParameterLayout;
import org.ivit.train.parameter.ParameterView;

/**
 * I-LayerNorm in integers on its own ({@code docs/arithmetic.md#layernorm}): rows of numbers,
 * quantized to 16 bits, to rows of dequantized 8-bit codes. Parameters {@code norm.weight} and
 * {@code norm.bias}, [channels] each; nodes {@code NAME.input} and {@code NAME.norm}.
 */
public final class ILayerNormOperator extends RowOperator {
  private static final String KEY = "norm";

  private final String name;
  private final int channels;
  private final QuantNorm norm;

  /**
   * @param name for node names and messages
   * @param channels length of a row
   */
  public ILayerNormOperator(String name, int channels) {
    this(parameters(channels), name, channels);
  }

  private ILayerNormOperator(ParameterLayout layout, String name, int channels) {
    super(layout, name, channels, 16, KEY, channels, 8);
    this.name = name;
    this.channels = channels;
    this.norm = new QuantNorm(name + ".", layout, node(), channels);
  }

  private static ParameterLayout parameters(int channels) {
    return new ParameterLayout()
        .add(KEY + ".weight", ParameterKind.NORM_WEIGHT, channels)
        .add(KEY + ".bias", ParameterKind.NORM_BIAS, channels);
  }

  private Node node() {
    return new Node(name + "." + KEY, NodeKind.NORM);
  }

  @Override
  void prepare(Reals weights, float inputScale, float outputScale, RealType type) {
    NodeBuilder nodes =
        new NodeBuilder(ParameterView.of(layout(), name + ".", weights), Scheme.EXACT);
    norm.prepare(nodes.norm(node(), 0, inputScale, outputScale), weights, inputScale);
  }

  @Override
  void forward(Gemm gemm, short[] x, short[] out, Chunk chunk) {
    byte[] narrow = chunk.scratch().bytes("norm.output", chunk.count() * channels);
    norm.forward(x, narrow, chunk.count(), chunk.seen(), chunk.scratch());
    Codes.widen(narrow, out, chunk.count() * channels);
  }

  @Override
  Reals backward(Gemm gemm, short[] x, Reals g, Reals gradients, Chunk chunk) {
    Reals gx = chunk.scratch().reals("norm.gradient", chunk.count() * channels);
    gx.clear(0, chunk.count() * channels);
    norm.backward(x, g, gx, 0, channels, gradients, chunk.count(), chunk.scratch());
    return gx;
  }
}
