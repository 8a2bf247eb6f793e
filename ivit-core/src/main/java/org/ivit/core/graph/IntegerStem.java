package org.ivit.core.graph;

import java.util.List;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Stem;

/**
 * Pixels to tokens: a product over patches, then leading tokens and positions or a norm.
 *
 * @param part sizes
 * @param projection product over patches, input order (channel, row, column)
 * @param embed leading tokens and positions; null where there is a norm
 * @param norm norm of the patches, 16-bit codes; null where there are positions
 */
public record IntegerStem(Stem part, Linear projection, Embed embed, LayerNorm norm)
    implements GraphPart {
  /** Checks that the nodes fit the sizes. */
  public IntegerStem {
    GraphChecks.linear(projection, part.projection());
    if ((norm != null) != part.normed() || (embed == null) != part.normed()) {
      throw new InputException("stem: expected positions or a norm, as its description says");
    }
    if (norm != null) {
      GraphChecks.length(norm.name(), norm.channels(), part.dim());
    } else {
      long dim = part.dim();
      GraphChecks.length(Stem.POSITION, embed.position().length, part.outputTokens() * dim);
      GraphChecks.length("leading tokens", embed.leading().length, part.leadingTokens() * dim);
    }
  }

  @Override
  public List<Linear> linears() {
    return List.of(projection);
  }

  @Override
  public float outputScale() {
    return norm != null ? norm.outputScale() : embed.sum().outputScale();
  }

  @Override
  public <R> R accept(GraphVisitor<R> visitor) {
    return visitor.stem(this);
  }
}
