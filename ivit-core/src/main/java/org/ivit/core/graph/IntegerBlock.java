package org.ivit.core.graph;

import org.ivit.core.architecture.Block;
import org.ivit.core.arithmetic.Bounds;

/**
 * A transformer block.
 *
 * @param part name and sizes
 * @param norm1 norm before the attention
 * @param qkv queries, keys and values
 * @param attention scores, softmax, context
 * @param proj projection of the context
 * @param residual1 addition after the attention
 * @param norm2 norm before the MLP
 * @param fc1 first linear layer of the MLP
 * @param gelu activation
 * @param fc2 second linear layer of the MLP
 * @param residual2 addition after the MLP
 */
public record IntegerBlock(
    Block part,
    LayerNorm norm1,
    Linear qkv,
    Attention attention,
    Linear proj,
    Residual residual1,
    LayerNorm norm2,
    Linear fc1,
    Gelu gelu,
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
    Bounds.requireChannels(gelu.name(), gelu.outputOutliers(), part.hidden());
    checkAttention(part, attention);
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
  public float outputScale() {
    return residual2.outputScale();
  }

  @Override
  public <R> R accept(GraphVisitor<R> visitor) {
    return visitor.block(this);
  }
}
