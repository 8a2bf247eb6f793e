package org.ivit.train.operator;

/** The parameters of a Swin's patch embedding. */
final class NormedEmbeddingShape {
  private NormedEmbeddingShape() {}

  static ParameterLayout parameters(EmbeddingShape shape) {
    return new ParameterLayout()
        .add(
            "patch_embed.proj.weight",
            ParameterKind.CONVOLUTION,
            shape.dim(),
            3,
            shape.patch(),
            shape.patch())
        .add("patch_embed.proj.bias", ParameterKind.BIAS, shape.dim())
        .add("patch_embed.norm.weight", ParameterKind.NORM_WEIGHT, shape.dim())
        .add("patch_embed.norm.bias", ParameterKind.NORM_BIAS, shape.dim());
  }
}
