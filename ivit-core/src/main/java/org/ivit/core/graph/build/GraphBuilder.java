package org.ivit.core.graph.build;

import java.util.List;
import java.util.Map;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.AttentionPooling;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Head;
import org.ivit.core.architecture.MeanPooling;
import org.ivit.core.architecture.Merging;
import org.ivit.core.architecture.Node;
import org.ivit.core.architecture.Norm;
import org.ivit.core.architecture.Part;
import org.ivit.core.architecture.PartVisitor;
import org.ivit.core.architecture.Stem;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.graph.GraphPart;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.scheme.NodeScales;
import org.ivit.core.scheme.Range;
import org.ivit.core.scheme.Scheme;

/** Freezes a model: float weights and ranges become integers. */
public final class GraphBuilder implements PartVisitor<GraphPart> {
  private final NodeBuilder nodes;
  private final NodeScales scales;
  private float stream;

  private GraphBuilder(NodeBuilder nodes, NodeScales scales) {
    this.nodes = nodes;
    this.scales = scales;
  }

  /**
   * Builds the integer graph. Every bound is proved on the way; a model that fails one is refused
   * with an {@link org.ivit.core.InputException} that names the node.
   *
   * @param architecture sizes
   * @param weights parameters by timm name
   * @param scheme forms, widths, outlier channels
   * @param ranges range of every node of {@link Architecture#nodes}
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
   * @param scales scale of every node of {@link Architecture#nodes}
   * @return the integer graph
   */
  public static IntegerGraph build(
      Architecture architecture, FloatWeights weights, Scheme scheme, NodeScales scales) {
    scheme.check(architecture);
    GraphBuilder builder = new GraphBuilder(new NodeBuilder(weights, scheme), scales);
    List<GraphPart> parts = architecture.parts().stream().map(builder::part).toList();
    return new IntegerGraph(architecture, scheme, scales.of(Node.INPUT), parts);
  }

  private GraphPart part(Part part) {
    GraphPart built = part.accept(this);
    stream = built.outputScale();
    return built;
  }

  @Override
  public GraphPart stem(Stem stem) {
    return nodes.stem(stem, scales);
  }

  @Override
  public GraphPart block(Block block) {
    return nodes.block(block, scales, stream);
  }

  @Override
  public GraphPart merging(Merging merging) {
    return nodes.merging(merging, scales, stream);
  }

  @Override
  public GraphPart norm(Norm norm) {
    return nodes.norm(norm, scales, stream);
  }

  @Override
  public GraphPart meanPooling(MeanPooling pooling) {
    return nodes.meanPooling(pooling, scales, stream);
  }

  @Override
  public GraphPart attentionPooling(AttentionPooling pooling) {
    return nodes.attentionPooling(pooling, scales, stream);
  }

  @Override
  public GraphPart head(Head head) {
    return nodes.head(head, scales, stream);
  }
}
