package org.ivit.train.operator;

/**
 * Sizes of a transformer block.
 *
 * @param tokens rows a picture, class token included
 * @param dim channels
 * @param heads attention heads, which divide {@code dim}
 * @param hidden channels inside the MLP
 */
public record BlockShape(int tokens, int dim, int heads, int hidden) {
  /** Checks that the heads divide the channels. */
  public BlockShape {
    if (tokens < 1 || heads < 1 || hidden < 1 || dim < 1 || dim % heads != 0) {
      throw new IllegalArgumentException(
          "block of "
              + tokens
              + " tokens, "
              + dim
              + " channels, "
              + heads
              + " heads, "
              + hidden
              + " hidden channels");
    }
  }

  /** Channels of a head. */
  public int headDim() {
    return dim / heads;
  }

  /** The parameters of a block, named as timm names them after {@code blocks.i.}. */
  ParameterLayout parameters() {
    return new ParameterLayout()
        .add("norm1.weight", ParameterKind.NORM_WEIGHT, dim)
        .add("norm1.bias", ParameterKind.NORM_BIAS, dim)
        .add("attn.qkv.weight", ParameterKind.WEIGHT, 3L * dim, dim)
        .add("attn.qkv.bias", ParameterKind.BIAS, 3L * dim)
        .add("attn.proj.weight", ParameterKind.WEIGHT, dim, dim)
        .add("attn.proj.bias", ParameterKind.BIAS, dim)
        .add("norm2.weight", ParameterKind.NORM_WEIGHT, dim)
        .add("norm2.bias", ParameterKind.NORM_BIAS, dim)
        .add("mlp.fc1.weight", ParameterKind.WEIGHT, hidden, dim)
        .add("mlp.fc1.bias", ParameterKind.BIAS, hidden)
        .add("mlp.fc2.weight", ParameterKind.WEIGHT, dim, hidden)
        .add("mlp.fc2.bias", ParameterKind.BIAS, dim);
  }
}
