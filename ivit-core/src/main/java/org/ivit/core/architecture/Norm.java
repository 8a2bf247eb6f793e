package org.ivit.core.architecture;

import java.util.List;

/**
 * A norm of tokens whose 16-bit codes go on as the stream: CLIP's before the blocks, and the last
 * one of a model whose answer is a feature.
 *
 * @param name of its node and prefix of its parameters, such as {@code norm_pre}
 * @param tokens tokens of a picture that it reads, the first of those before it
 * @param dim channels of a token
 * @param epsilon what is added to the variance in the float model
 */
public record Norm(String name, int tokens, int dim, double epsilon) implements Part {
  /**
   * Checks the sizes.
   *
   * @throws org.ivit.core.InputException naming the first that is out of range
   */
  public Norm {
    SizeChecks check = new SizeChecks(name);
    check.rowOfScores("has", tokens);
    check.inRange("dim", dim);
    check.epsilon(epsilon);
  }

  @Override
  public List<Parameter> parameters() {
    return new Parameters().norm(name, dim).all();
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
    return new Node(name, NodeKind.STREAM_NORM);
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
    return tokens;
  }

  @Override
  public int outputDim() {
    return dim;
  }

  @Override
  public <R> R accept(PartVisitor<R> visitor) {
    return visitor.norm(this);
  }
}
