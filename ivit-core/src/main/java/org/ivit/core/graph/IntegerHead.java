package org.ivit.core.graph;

import java.util.List;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Head;
import org.ivit.core.architecture.LinearSpec;
import org.ivit.core.arithmetic.Bounds;
import org.ivit.core.arithmetic.Pooling;

/**
 * Tokens to logits.
 *
 * @param part sizes
 * @param norm of the tokens that are read; null where the first token is the answer
 * @param pool mean over tokens that is classified; null where there is none
 * @param classifiers one for each token that is read, or one for the pool, or one for the first
 *     token and one for the pool; 32-bit logits on one scale; none where the answer is a feature of
 *     tokens
 * @param tokenScale value of one code step of the first token, where it is the answer; else 0
 */
public record IntegerHead(
    Head part, LayerNorm norm, Pool pool, List<Linear> classifiers, float tokenScale)
    implements GraphPart {
  /** Checks that the nodes fit the sizes, and proves the bound of the logits. */
  public IntegerHead {
    classifiers = List.copyOf(classifiers);
    if ((norm != null) != part.normed() || (tokenScale > 0) == part.normed()) {
      throw new InputException("head: expected a norm, or none, as its description says");
    }
    if (norm != null) {
      GraphChecks.length(norm.name(), norm.channels(), part.dim());
    }
    if ((pool != null) != part.nodes().contains(part.pool())) {
      throw new InputException("head: expected a pool, or none, as its description says");
    }
    if (pool != null) {
      GraphChecks.length("pool tokens", pool.tokens(), part.pooledTokens());
    }
    List<LinearSpec> specs = part.linears();
    if (!classifiers.stream().map(Linear::name).toList().equals(part.classifiers())) {
      throw new InputException("heads: expected " + part.classifiers());
    }
    for (int i = 0; i < classifiers.size(); i++) {
      Linear head = classifiers.get(i);
      GraphChecks.linear(head, specs.get(i));
      if (head.outputScale() != classifiers.get(0).outputScale()) {
        throw new InputException(
            head.name() + ": expected the scale of " + classifiers.get(0).name());
      }
    }
    proveSum(classifiers);
    if (part.pooled()) {
      Bounds.provePool("pool", part.pooledTokens());
    }
  }

  private static void proveSum(List<Linear> heads) {
    if (heads.size() > 2) {
      throw new InputException("heads: found " + heads.size() + ", expected at most 2");
    }
    if (heads.size() == 2) {
      Bounds.proveLogits(
          heads.get(1).name(),
          accumulators(heads.get(0)),
          heads.get(0).requantization(),
          accumulators(heads.get(1)),
          heads.get(1).requantization());
    }
  }

  private static long[] accumulators(Linear head) {
    return Bounds.accumulators(
        head.weight(), head.bias(), head.outputs(), head.inputs(), head.inputOutliers());
  }

  @Override
  public List<Linear> linears() {
    return classifiers;
  }

  /**
   * Scale of the answer: of the logits, which are the sum of the classifiers'; of the sum of codes
   * over tokens, as their mean; or of the first token.
   */
  @Override
  public float outputScale() {
    if (norm == null) {
      return tokenScale;
    }
    if (classifiers.isEmpty()) {
      return Pooling.sumScale(norm.outputScale(), part.pooledTokens());
    }
    return classifiers.get(0).outputScale() / classifiers.size();
  }

  @Override
  public <R> R accept(GraphVisitor<R> visitor) {
    return visitor.head(this);
  }
}
