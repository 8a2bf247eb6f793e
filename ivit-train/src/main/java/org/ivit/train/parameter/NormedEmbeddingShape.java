package org.ivit.train.parameter;

/** The parameters of a Swin's patch embedding. */
public final class NormedEmbeddingShape {
  private NormedEmbeddingShape() {}

  public static ParameterLayout parameters(EmbeddingShape shape) {
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
