package org.ivit.core.graph;

import java.util.List;
import org.ivit.core.architecture.Norm;

/**
 * A norm of the stream, 16-bit codes to 16-bit codes.
 *
 * @param part name and sizes
 * @param norm the node
 */
public record IntegerNorm(Norm part, LayerNorm norm) implements GraphPart {
  /** Checks that the node fits the sizes. */
  public IntegerNorm {
    GraphChecks.length(norm.name(), norm.channels(), part.dim());
  }

  @Override
  public List<Linear> linears() {
    return List.of();
  }

  @Override
  public float outputScale() {
    return norm.outputScale();
  }

  @Override
  public <R> R accept(GraphVisitor<R> visitor) {
    return visitor.norm(this);
  }
}
