package org.ivit.core.architecture;

import java.util.List;

/**
 * Tokens to logits: a norm, then either the mean over all tokens or the first tokens as they are,
 * then classifiers. The logits are the mean of theirs.
 *
 * @param tokens tokens of a picture
 * @param dim channels of a token
 * @param pooled whether the mean over all tokens is classified; otherwise each classifier reads a
 *     token, from the first on
 * @param classes number of classes
 * @param classifiers parameter prefixes of the classifiers; one where {@code pooled}
 * @param epsilon what is added to the variance in the float model's norm
 */
public record Head(
    int tokens, int dim, boolean pooled, int classes, List<String> classifiers, double epsilon)
    implements Part {
  /** The usual classifier. */
  public static final String CLASSIFIER = "head";

  private static final String NORM = "norm";

  /**
   * Checks the sizes.
   *
   * @throws org.ivit.core.InputException naming the first that is out of range
   */
  public Head {
    classifiers = List.copyOf(classifiers);
    SizeChecks check = new SizeChecks(CLASSIFIER);
    check.inRange("dim", dim);
    check.inRange("classes", classes);
    check.epsilon(epsilon);
    int most = pooled ? 1 : tokens;
    if (classifiers.isEmpty() || classifiers.size() > most) {
      throw check.refused("%d classifiers, expected 1 to %d".formatted(classifiers.size(), most));
    }
  }

  @Override
  public int readTokens() {
    return pooled ? tokens : classifiers.size();
  }

  /** The norm of the tokens that are read. */
  public Node norm() {
    return new Node(NORM, pooled ? NodeKind.POOLED_NORM : NodeKind.NORM);
  }

  /** The mean over the tokens, where {@link #pooled}. */
  public Node pool() {
    return new Node("pool", NodeKind.POOL);
  }

  /** What feeds the classifiers. */
  public Node features() {
    return pooled ? pool() : norm();
  }

  /**
   * The same for another number of classes.
   *
   * @param count at least 1
   */
  public Head withClasses(int count) {
    return new Head(tokens, dim, pooled, count, classifiers, epsilon);
  }

  @Override
  public List<Parameter> parameters() {
    Parameters all = new Parameters().norm(NORM, dim);
    linears().forEach(all::linear);
    return all.all();
  }

  @Override
  public List<Node> nodes() {
    return pooled ? List.of(norm(), pool()) : List.of(norm());
  }

  @Override
  public List<LinearSpec> linears() {
    return classifiers.stream()
        .map(
            name ->
                new LinearSpec(
                    name, new Node(name, NodeKind.LOGITS), features(), dim, classes, true))
        .toList();
  }

  /** The first classifier: its scale is that of all. */
  @Override
  public Node output() {
    return linears().get(0).node();
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
    return classes;
  }

  @Override
  public <R> R accept(PartVisitor<R> visitor) {
    return visitor.head(this);
  }
}
