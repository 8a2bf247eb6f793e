package org.ivit.core.graph;

import org.ivit.core.architecture.Block;
import org.ivit.core.arithmetic.Bounds;

/**
 * A transformer block.
 *
 * @param site name and sizes
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
    Block site,
    LayerNorm norm1,
    Linear qkv,
    Attention attention,
    Linear proj,
    Residual residual1,
    LayerNorm norm2,
    Linear fc1,
    Gelu gelu,
    Linear fc2,
    Residual residual2) {
  /** Checks that the nodes fit the sizes, and proves the bounds of the attention. */
  public IntegerBlock {
    int dim = site.dim();
    GraphChecks.length(norm1.name(), norm1.channels(), dim);
    GraphChecks.length(norm2.name(), norm2.channels(), dim);
    GraphChecks.linear(qkv, dim, 3 * dim);
    GraphChecks.linear(proj, dim, dim);
    GraphChecks.linear(fc1, dim, site.hidden());
    GraphChecks.linear(fc2, site.hidden(), dim);
    Bounds.requireChannels(gelu.name(), gelu.outputOutliers(), site.hidden());
    checkAttention(site, attention);
  }

  private static void checkAttention(Block site, Attention attention) {
    GraphChecks.length(site.node("attn heads"), attention.heads(), site.heads());
    GraphChecks.length(site.node("attn head width"), attention.headDim(), site.headDim());
    int tokens = site.rowTokens();
    attention.softmax().prove(site.node("attn.softmax"), tokens);
    Bounds.proveContext(site.node("attn.context"), tokens, attention.softmax().bits());
    int rows = site.windows() == null ? 0 : site.windows().relativePositions();
    PositionBias position = attention.position();
    GraphChecks.length(
        site.node(NodeNames.POSITION_TABLE),
        position == null ? 0 : position.table().length,
        (long) rows * site.heads());
  }
}
