package org.ivit.train.parameter;

import java.util.List;
import org.ivit.core.graph.NodeNames;

/**
 * Sizes of a classification head.
 *
 * @param tokens rows a picture
 * @param dim channels
 * @param classes logits
 * @param heads parameter prefixes of the classifiers, each of which reads a token, from the first
 *     on; the logits are their mean
 */
public record HeadShape(int tokens, int dim, int classes, List<String> heads) {
  /** Checks that all are positive. */
  public HeadShape {
    heads = List.copyOf(heads);
    if (heads.isEmpty() || tokens < heads.size() || dim < 1 || classes < 1) {
      throw new IllegalArgumentException(
          "head of " + tokens + " tokens, " + dim + " channels, " + classes + " classes");
    }
  }

  /** With one classifier; sizes as those of the record. */
  public HeadShape(int tokens, int dim, int classes) {
    this(tokens, dim, classes, List.of(NodeNames.HEAD));
  }

  /** The parameters, named as timm names them. */
  public ParameterLayout parameters() {
    ParameterLayout layout =
        new ParameterLayout()
            .add("norm.weight", ParameterKind.NORM_WEIGHT, dim)
            .add("norm.bias", ParameterKind.NORM_BIAS, dim);
    for (String head : heads) {
      layout
          .add(head + ".weight", ParameterKind.WEIGHT, classes, dim)
          .add(head + ".bias", ParameterKind.BIAS, classes);
    }
    return layout;
  }
}
