package org.ivit.core.graph;

import java.util.Map;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Swin;
import org.ivit.core.architecture.Vit;

/** Freezes a model: float weights and ranges become integers. */
public final class GraphBuilder {
  private GraphBuilder() {}

  /**
   * Builds the integer graph. Every bound is proved on the way; a model that fails one is refused
   * with an {@link InputException} that names the node.
   *
   * @param architecture sizes
   * @param weights parameters by timm name
   * @param scheme forms, widths, outlier channels
   * @param ranges range of every node of {@link NodeNames#ranged}
   * @return the integer graph
   */
  public static IntegerGraph build(
      Architecture architecture, FloatWeights weights, Scheme scheme, Map<String, Range> ranges) {
    return build(architecture, weights, scheme, NodeScales.of(scheme, ranges));
  }

  /**
   * Builds the integer graph from scales that are given instead of ranges; otherwise as {@link
   * #build(Architecture, FloatWeights, Scheme, Map)}.
   *
   * @param architecture sizes
   * @param weights parameters by timm name
   * @param scheme forms, widths, outlier channels
   * @param scales scale of every node of {@link NodeNames#ranged}
   * @return the integer graph
   */
  public static IntegerGraph build(
      Architecture architecture, FloatWeights weights, Scheme scheme, NodeScales scales) {
    if (architecture instanceof Swin swin) {
      return new SwinGraphBuilder(swin, weights, scheme).build(scales);
    }
    return new VitGraphBuilder((Vit) architecture, weights, scheme).build(scales);
  }
}
