package org.ivit.train.parameter;

import org.ivit.core.architecture.Swin;

/** Names and sizes of a patch merging. */
public final class MergingShape {
  public static final String NORM = "norm";
  public static final String REDUCTION = "reduction";

  private MergingShape() {}

  /** The parameters, named as timm names them after {@code layers.i.downsample.}. */
  public static ParameterLayout parameters(Swin.Stage stage) {
    return new ParameterLayout()
        .add("norm.weight", ParameterKind.NORM_WEIGHT, 4L * stage.dim())
        .add("norm.bias", ParameterKind.NORM_BIAS, 4L * stage.dim())
        .add("reduction.weight", ParameterKind.WEIGHT, 2L * stage.dim(), 4L * stage.dim());
  }

  /**
   * The order that brings the tokens which merge side by side: the neighbours (0,0), (1,0), (0,1),
   * (1,1) as (row, column).
   */
  public static RowOrder order(Swin.Stage stage) {
    return new RowOrder(sources(stage));
  }

  /** As {@link #order}, the row of the picture by row of the order. */
  public static int[] sources(Swin.Stage stage) {
    int resolution = stage.resolution();
    int half = resolution / 2;
    int[] order = new int[stage.tokens()];
    for (int i = 0; i < order.length; i++) {
      int row = 2 * (i / 4 / half) + i % 2;
      int column = 2 * (i / 4 % half) + i % 4 / 2;
      order[i] = row * resolution + column;
    }
    return order;
  }
}
