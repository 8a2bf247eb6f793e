package org.ivit.train.operator;

/**
 * Sizes of a classification head.
 *
 * @param tokens rows a picture
 * @param dim channels
 * @param classes logits
 */
public record HeadShape(int tokens, int dim, int classes) {
  /** Checks that all are positive. */
  public HeadShape {
    if (tokens < 1 || dim < 1 || classes < 1) {
      throw new IllegalArgumentException(
          "head of " + tokens + " tokens, " + dim + " channels, " + classes + " classes");
    }
  }

  /** The parameters, named as timm names them. */
  ParameterLayout parameters() {
    return new ParameterLayout()
        .add("norm.weight", ParameterKind.NORM_WEIGHT, dim)
        .add("norm.bias", ParameterKind.NORM_BIAS, dim)
        .add("head.weight", ParameterKind.WEIGHT, classes, dim)
        .add("head.bias", ParameterKind.BIAS, classes);
  }
}
