package org.ivit.core.graph;

import java.util.List;
import org.ivit.core.architecture.MeanPooling;

/**
 * The mean over the patches of the stream, 16-bit codes to 16-bit codes of one token.
 *
 * @param part sizes
 * @param pool the node
 */
public record IntegerMeanPooling(MeanPooling part, Pool pool) implements GraphPart {
  /** Checks that the node fits the sizes. */
  public IntegerMeanPooling {
    GraphChecks.length("pool tokens", pool.tokens(), part.pooledTokens());
  }

  @Override
  public List<Linear> linears() {
    return List.of();
  }

  @Override
  public float outputScale() {
    return pool.outputScale();
  }

  @Override
  public <R> R accept(GraphVisitor<R> visitor) {
    return visitor.meanPooling(this);
  }
}
