package org.ivit.core.architecture;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.ivit.core.InputException;
import org.ivit.core.MessageText;

/** Checks that parts make a network: what one gives, the next takes. */
final class ChainCheck implements PartVisitor<Void> {
  private final String name;
  private Part before;

  ChainCheck(String name) {
    this.name = name;
  }

  void check(List<Part> parts) {
    for (Part part : parts) {
      part.accept(this);
      before = part;
    }
    if (!(before instanceof Head)) {
      throw refused("ends without a head");
    }
    if (parts.stream().noneMatch(Block.class::isInstance)) {
      throw refused("has no blocks");
    }
    Set<String> names = new HashSet<>();
    for (Part part : parts) {
      for (Parameter parameter : part.parameters()) {
        if (!names.add(parameter.name())) {
          throw refused("has two parameters " + MessageText.quote(parameter.name()));
        }
      }
    }
  }

  @Override
  public Void stem(Stem stem) {
    if (before != null) {
      throw refused("has a second stem");
    }
    return null;
  }

  @Override
  public Void block(Block block) {
    return takes(block.name(), block.tokens(), block.dim());
  }

  @Override
  public Void merging(Merging merging) {
    return takes(merging.name(), merging.tokens(), merging.dim());
  }

  @Override
  public Void norm(Norm norm) {
    if (before == null || before.outputTokens() < norm.tokens()) {
      throw refused("%s reads %d tokens of fewer".formatted(norm.name(), norm.tokens()));
    }
    return takes(norm.name(), before.outputTokens(), norm.dim());
  }

  @Override
  public Void meanPooling(MeanPooling pooling) {
    return takes("pool", pooling.tokens(), pooling.dim());
  }

  @Override
  public Void attentionPooling(AttentionPooling pooling) {
    return takes("attn_pool", pooling.tokens(), pooling.dim());
  }

  @Override
  public Void head(Head head) {
    if (!head.pooled()
        && before instanceof Block block
        && block.windows() != null
        && block.windows().leading() == null) {
      throw refused("reads single tokens of windows, expected the mean over all");
    }
    return takes("head", head.tokens(), head.dim());
  }

  private Void takes(String part, int tokens, int dim) {
    if (before == null || before instanceof Head) {
      throw refused(part + " follows no tokens");
    }
    if (before.outputTokens() != tokens || before.outputDim() != dim) {
      throw refused(
          "%s takes %d tokens of %d channels, but gets %d of %d"
              .formatted(part, tokens, dim, before.outputTokens(), before.outputDim()));
    }
    return null;
  }

  private InputException refused(String reason) {
    return new InputException("architecture " + MessageText.quote(name) + ": " + reason);
  }
}
