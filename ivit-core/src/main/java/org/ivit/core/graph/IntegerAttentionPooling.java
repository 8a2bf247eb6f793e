package org.ivit.core.graph;

import java.util.List;
import org.ivit.core.architecture.AttentionPooling;
import org.ivit.core.arithmetic.Bounds;

/**
 * Attention pooling.
 *
 * @param part sizes
 * @param norm of all tokens, 8-bit codes
 * @param scores product that gives the scores, 8-bit codes, [tokens][heads]
 * @param values product that gives the values, 8-bit codes, [tokens][channels]
 * @param attention softmax over the tokens and context
 * @param proj projection of the context, 16-bit codes: the pooled token before the MLP
 * @param norm2 norm before the MLP
 * @param fc1 first linear layer of the MLP
 * @param gelu activation
 * @param fc2 second linear layer of the MLP
 * @param residual addition after the MLP
 */
public record IntegerAttentionPooling(
    AttentionPooling part,
    LayerNorm norm,
    Linear scores,
    Linear values,
    QueryAttention attention,
    Linear proj,
    LayerNorm norm2,
    Linear fc1,
    Gelu gelu,
    Linear fc2,
    Residual residual)
    implements GraphPart {
  /** Checks that the nodes fit the sizes, and proves the bounds of the attention. */
  public IntegerAttentionPooling {
    GraphChecks.length(norm.name(), norm.channels(), part.dim());
    GraphChecks.length(norm2.name(), norm2.channels(), part.dim());
    GraphChecks.linear(scores, part.scoresLinear());
    GraphChecks.linear(values, part.valuesLinear());
    GraphChecks.linear(proj, part.projLinear());
    GraphChecks.linear(fc1, part.fc1Linear());
    GraphChecks.linear(fc2, part.fc2Linear());
    GraphChecks.length("attn_pool heads", attention.heads(), part.heads());
    GraphChecks.length("attn_pool head width", attention.headDim(), part.headDim());
    Bounds.requireChannels(gelu.name(), gelu.outputOutliers(), part.hidden());
    attention.softmax().prove(part.softmax(), part.tokens());
    Bounds.proveContext(part.context().name(), part.tokens(), attention.softmax().bits());
  }

  @Override
  public List<Linear> linears() {
    return List.of(scores, values, proj, fc1, fc2);
  }

  @Override
  public float outputScale() {
    return residual.outputScale();
  }

  @Override
  public <R> R accept(GraphVisitor<R> visitor) {
    return visitor.attentionPooling(this);
  }
}
