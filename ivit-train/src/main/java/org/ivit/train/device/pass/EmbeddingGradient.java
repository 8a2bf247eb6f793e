package org.ivit.train.device.pass;

import org.ivit.core.architecture.Stem;
import org.ivit.core.architecture.Stem.LeadingToken;

/** The gradient of tokens passed on to positions, leading tokens and patches, on the device. */
public final class EmbeddingGradient {
  private final Stem shape;
  private final NodeLayout layout;

  public EmbeddingGradient(Stem shape, NodeLayout layout) {
    this.shape = shape;
    this.layout = layout;
  }

  /**
   * @param gy gradient by the tokens, [pictures][tokens][dim]
   * @return address of that by the patches, [pictures·patches][dim], in scratch memory
   */
  public long run(Pass pass, long gy, int pictures) {
    int dim = shape.dim();
    int size = shape.outputTokens() * dim;
    int first = shape.leadingTokens();
    Partials partials = pass.partials(pictures, size);
    pass.columnPartials(gy, pictures, size, size, partials);
    int positioned = shape.positionRows() * dim;
    if (positioned > 0) {
      sum(pass, partials, size - positioned, positioned, Stem.POSITION);
    }
    int at = 0;
    for (LeadingToken token : shape.leading()) {
      sum(pass, partials, at, token.count() * dim, token.name());
      at += token.count() * dim;
    }
    int rows = pictures * shape.patches();
    long gProjected = pass.scratch.of("gNorm", (long) rows * dim, 4);
    RowGather.slice(
        pass, 4, gy, gProjected, pictures, first, shape.patches(), shape.outputTokens(), dim);
    return gProjected;
  }

  private void sum(Pass pass, Partials partials, int first, int columns, String key) {
    int size = shape.outputTokens() * shape.dim();
    long to = pass.gradients + 4L * layout.at(key);
    partials.sum(pass, first, columns, size, to, 0, pass.added());
  }
}
