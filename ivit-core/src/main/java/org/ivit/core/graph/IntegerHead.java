package org.ivit.core.graph;

import java.util.List;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Head;
import org.ivit.core.architecture.LinearSpec;
import org.ivit.core.arithmetic.Bounds;

/**
 * Tokens to logits.
 *
 * @param part sizes
 * @param norm of the tokens that are read
 * @param pool mean over all tokens; null where the first tokens are read
 * @param classifiers one for each token that is read, or one for the pool; 32-bit logits on one
 *     scale
 */
public record IntegerHead(Head part, LayerNorm norm, Pool pool, List<Linear> classifiers)
    implements GraphPart {
  /** Checks that the nodes fit the sizes, and proves the bound of the logits. */
  public IntegerHead {
    classifiers = List.copyOf(classifiers);
    GraphChecks.length(norm.name(), norm.channels(), part.dim());
    if ((pool != null) != part.pooled()) {
      throw new InputException("head: expected a pool, or none, as its description says");
    }
    if (pool != null) {
      GraphChecks.length("pool tokens", pool.tokens(), part.tokens());
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

  /** Scale of the logits, which are the sum of the classifiers'. */
  @Override
  public float outputScale() {
    return classifiers.get(0).outputScale() / classifiers.size();
  }

  @Override
  public <R> R accept(GraphVisitor<R> visitor) {
    return visitor.head(this);
  }
}
