package org.ivit.train.parameter;

import org.ivit.core.architecture.Block;
import org.ivit.core.graph.NodeNames;

/** The parameters of a transformer block, named as timm names them after the block's name. */
public final class BlockParameters {
  private BlockParameters() {}

  public static ParameterLayout of(Block site) {
    int dim = site.dim();
    int hidden = site.hidden();
    ParameterLayout layout =
        new ParameterLayout()
            .add("norm1.weight", ParameterKind.NORM_WEIGHT, dim)
            .add("norm1.bias", ParameterKind.NORM_BIAS, dim);
    if (site.windows() != null) {
      layout.add(
          NodeNames.POSITION_TABLE,
          ParameterKind.POSITION,
          site.windows().relativePositions(),
          site.heads());
    }
    return layout
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
