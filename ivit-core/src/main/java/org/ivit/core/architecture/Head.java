package org.ivit.core.architecture;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.ArrayList;
import java.util.List;

/**
 * Tokens to the answer: a norm, then the mean over tokens, or the first tokens as they are, or the
 * first token and the mean, then classifiers, of which the logits are the mean. Without classifiers
 * the answer is a feature: the sum of the normed codes over the tokens of the mean, or, without a
 * mean and then without a norm, the codes of the first token as they come.
 *
 * @param tokens tokens of a picture
 * @param dim channels of a token
 * @param pooled whether the mean over tokens is taken after the norm; otherwise each classifier
 *     reads a token, from the first on
 * @param leading the first tokens, which take no part in the mean; null for none
 * @param normName prefix of the norm's parameters and its node; null for {@code norm}
 * @param classes number of classes; of a feature, its channels
 * @param classifiers parameter prefixes of the classifiers; where {@code pooled} one, of the mean,
 *     or two, of the first token and of the mean; none where the answer is a feature of the tokens
 * @param projection true where the classifier is a projection, whose logits are a feature; null
 *     otherwise
 * @param epsilon what is added to the variance in the float model's norm
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Head(
    int tokens,
    int dim,
    boolean pooled,
    Integer leading,
    String normName,
    int classes,
    List<String> classifiers,
    Boolean projection,
    double epsilon)
    implements Part {
  /** The usual classifier. */
  public static final String CLASSIFIER = "head";

  /** That of the mean, where the first token has one too. */
  public static final String MEAN_CLASSIFIER = "head_mean";

  /** The norm of most models. */
  public static final String NORM = "norm";

  /** The norm of models that have it after the mean. */
  public static final String POOLED_NORM = "fc_norm";

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
    int most = pooled ? 2 : tokens;
    if (classifiers.size() > most) {
      throw check.refused(
          "%d classifiers, expected at most %d".formatted(classifiers.size(), most));
    }
    if (pooled && classifiers.size() == 2 && (leading == null || leading == 0)) {
      throw check.refused("two classifiers of a mean over all tokens, expected leading ones");
    }
    if (leading != null) {
      check.leading(leading, tokens);
      if (!pooled) {
        throw check.refused("leaves out leading tokens, expected so of a mean alone");
      }
    }
    if (classifiers.isEmpty() && classes != dim) {
      throw check.refused("a feature of %d channels, expected %d".formatted(classes, dim));
    }
    if (projection != null && (!projection || classifiers.size() != 1)) {
      throw check.refused("a projection, expected it with one classifier");
    }
    if (normName != null && !normed(pooled, classifiers)) {
      throw check.refused("a norm, expected none where the first token is the answer");
    }
  }

  /** A head whose answer is a class; parameters as those of the record. */
  public Head(
      int tokens, int dim, boolean pooled, int classes, List<String> classifiers, double epsilon) {
    this(tokens, dim, pooled, null, null, classes, classifiers, null, epsilon);
  }

  /**
   * A head whose answer is the first token as it comes.
   *
   * @param tokens tokens of a picture
   * @param dim channels of a token
   */
  public static Head ofFirstToken(int tokens, int dim) {
    return new Head(tokens, dim, false, null, null, dim, List.of(), null, 0);
  }

  private static boolean normed(boolean pooled, List<String> classifiers) {
    return pooled || !classifiers.isEmpty();
  }

  /** Whether there is a norm. */
  public boolean normed() {
    return normed(pooled, classifiers);
  }

  /** What the answer is. */
  public Answer answer() {
    return classifiers.isEmpty() || projection != null ? Answer.FEATURES : Answer.CLASSES;
  }

  /** The first tokens, which take no part in the mean. */
  public int leadingTokens() {
    return leading == null ? 0 : leading;
  }

  /** Tokens that the mean is of, where {@link #pooled}. */
  public int pooledTokens() {
    return tokens - leadingTokens();
  }

  /** Whether the first token is classified beside the mean. */
  public boolean tokenAndMean() {
    return pooled && classifiers.size() == 2;
  }

  @Override
  public int readTokens() {
    return pooled ? tokens : Math.max(1, classifiers.size());
  }

  /** The norm of the tokens that are read, where {@link #normed}. */
  public Node norm() {
    return new Node(
        normName == null ? NORM : normName, pooled ? NodeKind.POOLED_NORM : NodeKind.NORM);
  }

  /** The mean over the tokens, where {@link #pooled} and classified. */
  public Node pool() {
    return new Node("pool", NodeKind.POOL);
  }

  /** What feeds the classifiers, the last of them where they read different nodes. */
  public Node features() {
    return pooled ? pool() : norm();
  }

  /**
   * The same for another number of classes.
   *
   * @param count at least 1
   * @throws org.ivit.core.InputException if the answer is a feature of tokens, of another width
   */
  public Head withClasses(int count) {
    return new Head(
        tokens, dim, pooled, leading, normName, count, classifiers, projection, epsilon);
  }

  @Override
  public List<Parameter> parameters() {
    Parameters all = new Parameters();
    if (normed()) {
      all.norm(norm().name(), dim);
    }
    linears().forEach(all::linear);
    return all.all();
  }

  @Override
  public List<Node> nodes() {
    if (!normed()) {
      return List.of();
    }
    return pooled && !classifiers.isEmpty() ? List.of(norm(), pool()) : List.of(norm());
  }

  @Override
  public List<LinearSpec> linears() {
    List<LinearSpec> all = new ArrayList<>();
    for (String name : classifiers) {
      Node input = tokenAndMean() && all.isEmpty() ? norm() : features();
      all.add(new LinearSpec(name, new Node(name, NodeKind.LOGITS), input, dim, classes, true));
    }
    return List.copyOf(all);
  }

  /** The first classifier, whose scale is that of all; or the feature. */
  @Override
  public Node output() {
    return classifiers.isEmpty() ? new Node("features", NodeKind.LOGITS) : linears().get(0).node();
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
