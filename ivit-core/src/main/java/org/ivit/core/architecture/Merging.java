package org.ivit.core.architecture;

import java.util.List;
import org.ivit.core.Size;

/**
 * Patch merging: the neighbours (0,0), (1,0), (0,1), (1,1), as (row, column), side by side, a norm,
 * a product without bias to twice the channels.
 *
 * @param name prefix of its nodes and parameters, such as {@code layers.0.downsample}
 * @param resolution size of the finer grid in tokens, even
 * @param dim channels of a token of the finer grid
 * @param epsilon what is added to the variance in the float model's norm
 */
public record Merging(String name, Size resolution, int dim, double epsilon) implements Part {
  /**
   * Checks the sizes.
   *
   * @throws org.ivit.core.InputException naming the first that is out of range or does not divide
   */
  public Merging {
    SizeChecks check = new SizeChecks(name);
    check.inRange("resolution", resolution);
    check.inRange("dim", dim);
    check.inRange("merged channels", 4 * dim);
    check.epsilon(epsilon);
    check.multiple("resolution", resolution, "the merging", 2);
  }

  /** Tokens of a picture before it. */
  public int tokens() {
    return resolution.area();
  }

  /** Channels of the neighbours side by side. */
  public int mergedDim() {
    return 4 * dim;
  }

  /** The norm of the neighbours. */
  public Node norm() {
    return new Node(name + ".norm", NodeKind.NORM);
  }

  /** The product. */
  public LinearSpec reduction() {
    String node = name + ".reduction";
    return new LinearSpec(
        node, new Node(node, NodeKind.MERGED), norm(), mergedDim(), outputDim(), false);
  }

  /**
   * Where the tokens that merge lie.
   *
   * @return token of the finer grid by its place when four that merge lie side by side, [tokens]
   */
  public int[] order() {
    int half = resolution.width() / 2;
    int[] order = new int[tokens()];
    for (int i = 0; i < order.length; i++) {
      int row = 2 * (i / 4 / half) + i % 2;
      int column = 2 * (i / 4 % half) + i % 4 / 2;
      order[i] = row * resolution.width() + column;
    }
    return order;
  }

  @Override
  public String prefix() {
    return name + ".";
  }

  @Override
  public List<Parameter> parameters() {
    return new Parameters().norm(norm().name(), mergedDim()).linear(reduction()).all();
  }

  @Override
  public List<Node> nodes() {
    return List.of(norm(), output());
  }

  @Override
  public List<LinearSpec> linears() {
    return List.of(reduction());
  }

  @Override
  public Node output() {
    return reduction().node();
  }

  @Override
  public int readTokens() {
    return tokens();
  }

  @Override
  public int inputDim() {
    return dim;
  }

  @Override
  public int outputTokens() {
    return tokens() / 4;
  }

  @Override
  public int outputDim() {
    return 2 * dim;
  }

  @Override
  public <R> R accept(PartVisitor<R> visitor) {
    return visitor.merging(this);
  }
}
