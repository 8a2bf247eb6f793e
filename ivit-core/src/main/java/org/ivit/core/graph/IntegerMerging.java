package org.ivit.core.graph;

import java.util.List;
import org.ivit.core.architecture.Merging;

/**
 * Patch merging between blocks of two widths: four neighbours side by side, their norm, a product
 * without bias.
 *
 * @param part sizes
 * @param norm over the concatenated channels
 * @param reduction from 4 to 2 times the channels, 8-bit codes
 */
public record IntegerMerging(Merging part, LayerNorm norm, Linear reduction) implements GraphPart {
  /** Checks that the nodes fit the sizes. */
  public IntegerMerging {
    GraphChecks.length(norm.name(), norm.channels(), part.mergedDim());
    GraphChecks.linear(reduction, part.reduction());
  }

  @Override
  public List<Linear> linears() {
    return List.of(reduction);
  }

  @Override
  public float outputScale() {
    return reduction.outputScale();
  }

  @Override
  public <R> R accept(GraphVisitor<R> visitor) {
    return visitor.merging(this);
  }
}
