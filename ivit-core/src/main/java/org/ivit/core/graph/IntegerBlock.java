package org.ivit.core.graph;

import java.util.List;
import org.ivit.core.architecture.Block;
import org.ivit.core.arithmetic.Bounds;

/**
 * A transformer block.
 *
 * @param part name and sizes
 * @param norm1 norm before the attention
 * @param qkv queries, keys and values
 * @param rotation rotary positions of these; null where there are none
 * @param attention scores, softmax, context
 * @param proj projection of the context
 * @param residual1 addition after the attention
 * @param norm2 norm before the MLP
 * @param fc1 first linear layer of the MLP; the gate of a gated one
 * @param gelu activation; null in a gated MLP
 * @param value what a gated MLP gates; null in a plain one
 * @param gating how; null in a plain one
 * @param mlpNorm norm of the gated values; null where there is none
 * @param fc2 second linear layer of the MLP
 * @param residual2 addition after the MLP
 */
public record IntegerBlock(
    Block part,
    LayerNorm norm1,
    Linear qkv,
    Rotation rotation,
    Attention attention,
    Linear proj,
    Residual residual1,
    LayerNorm norm2,
    Linear fc1,
    Gelu gelu,
    Linear value,
    Gating gating,
    LayerNorm mlpNorm,
    Linear fc2,
    Residual residual2)
    implements GraphPart {
  /** Checks that the nodes fit the sizes, and proves the bounds of the attention. */
  public IntegerBlock {
    GraphChecks.length(norm1.name(), norm1.channels(), part.dim());
    GraphChecks.length(norm2.name(), norm2.channels(), part.dim());
    GraphChecks.linear(qkv, part.qkvLinear());
    GraphChecks.linear(proj, part.projLinear());
    GraphChecks.linear(fc1, part.fc1Linear());
    GraphChecks.linear(fc2, part.fc2Linear());
    GraphChecks.present(part.rope().name(), rotation, part.rotary() != null);
    GraphChecks.present("activation of " + part.name(), gelu, !part.gated());
    GraphChecks.present(part.valueLinear().node().name(), value, part.gated());
    GraphChecks.present(part.act().name(), gating, part.gated());
    GraphChecks.present(part.mlpNorm().name(), mlpNorm, part.gatedNorm());
    if (gelu != null) {
      Bounds.requireChannels(gelu.name(), gelu.outputOutliers(), part.hidden());
    } else {
      GraphChecks.linear(value, part.valueLinear());
      GraphChecks.length(gating.name() + " multipliers", gating.product().size(), part.hidden());
      GraphChecks.length(gating.name() + " bits", gating.bits(), part.act().bits());
    }
    if (mlpNorm != null) {
      GraphChecks.length(mlpNorm.name(), mlpNorm.channels(), part.hidden());
    }
    if (rotation != null) {
      GraphChecks.length(rotation.name() + " tokens", rotation.turns().tokens(), part.tokens());
      GraphChecks.length(rotation.name(), rotation.turns().headDim(), part.headDim());
    }
    checkAttention(part, attention);
  }

  /** Scale of the queries, keys and values that attention reads. */
  public float attendedScale() {
    return rotation == null ? qkv.outputScale() : rotation.outputScale();
  }

  /** Scale of what {@code fc2} reads. */
  public float activatedScale() {
    if (mlpNorm != null) {
      return mlpNorm.outputScale();
    }
    return gelu == null ? gating.outputScale() : gelu.outputScale();
  }

  private static void checkAttention(Block part, Attention attention) {
    GraphChecks.length(part.node("attn heads"), attention.heads(), part.heads());
    GraphChecks.length(part.node("attn head width"), attention.headDim(), part.headDim());
    int tokens = part.rowTokens();
    attention.softmax().prove(part.softmax(), tokens);
    Bounds.proveContext(part.context().name(), tokens, attention.softmax().bits());
    int rows = part.windows() == null ? 0 : part.windows().relativePositions();
    PositionBias position = attention.position();
    GraphChecks.length(
        part.positionTable(),
        position == null ? 0 : position.table().length,
        (long) rows * part.heads());
  }

  @Override
  public List<Linear> linears() {
    return value == null ? List.of(qkv, proj, fc1, fc2) : List.of(qkv, proj, fc1, value, fc2);
  }

  @Override
  public float outputScale() {
    return residual2.outputScale();
  }

  @Override
  public <R> R accept(GraphVisitor<R> visitor) {
    return visitor.block(this);
  }
}
