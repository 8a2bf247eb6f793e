package org.ivit.core.architecture;

import java.util.List;

/**
 * The mean over the patches of the 16-bit stream, before any norm: one token.
 *
 * @param tokens tokens of a picture
 * @param leading the first of them, which take no part
 * @param dim channels of a token
 */
public record MeanPooling(int tokens, int leading, int dim) implements Part {
  /**
   * Checks the sizes.
   *
   * @throws org.ivit.core.InputException naming the first that is out of range
   */
  public MeanPooling {
    SizeChecks check = new SizeChecks("pool");
    check.rowOfScores("has", tokens);
    check.inRange("dim", dim);
    check.leading(leading, tokens);
  }

  /** Tokens that the mean is of. */
  public int pooledTokens() {
    return tokens - leading;
  }

  @Override
  public List<Parameter> parameters() {
    return List.of();
  }

  @Override
  public List<Node> nodes() {
    return List.of(output());
  }

  @Override
  public List<LinearSpec> linears() {
    return List.of();
  }

  @Override
  public Node output() {
    return new Node("pool", NodeKind.POOLED_STREAM);
  }

  @Override
  public int readTokens() {
    return tokens;
  }

  @Override
  public int inputDim() {
    return dim;
  }

  @Override
  public int outputTokens() {
    return 1;
  }

  @Override
  public int outputDim() {
    return dim;
  }

  @Override
  public <R> R accept(PartVisitor<R> visitor) {
    return visitor.meanPooling(this);
  }
}
