package org.ivit.core.engine.reference;

import java.util.List;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Swin;
import org.ivit.core.engine.Backend;
import org.ivit.core.engine.Engine;
import org.ivit.core.engine.EngineChecks;
import org.ivit.core.engine.MatrixProducts;
import org.ivit.core.engine.Processor;
import org.ivit.core.graph.IntegerBlock;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.graph.NodeNames;
import org.ivit.core.graph.SwinGraph;
import org.ivit.core.graph.SwinStage;
import org.ivit.core.graph.VitGraph;

/** Scalar Java, node by node, traceable: slow, obvious, the judge of the others. */
public final class ReferenceEngine implements Engine {
  private final IntegerGraph graph;
  private final String why;
  private final MatrixProducts products;
  private volatile boolean closed;

  /**
   * @param graph any model
   */
  public ReferenceEngine(IntegerGraph graph) {
    this(graph, "asked for");
  }

  /**
   * @param graph any model
   * @param why why this engine was chosen, for {@link #description}
   */
  public ReferenceEngine(IntegerGraph graph, String why) {
    this(graph, why, new ReferenceMatrixProducts());
  }

  private ReferenceEngine(IntegerGraph graph, String why, MatrixProducts products) {
    this.graph = graph;
    this.why = why;
    this.products = products;
  }

  /**
   * An engine for tracing large models: its products are another's, all else as here.
   *
   * @param graph any model
   * @param products exact, as {@link MatrixProducts} asks
   */
  public static ReferenceEngine tracing(IntegerGraph graph, MatrixProducts products) {
    return new ReferenceEngine(graph, "for its trace", products);
  }

  @Override
  public String name() {
    return "reference";
  }

  @Override
  public String description() {
    return "reference: scalar Java on 1 thread (" + why + ")";
  }

  @Override
  public Backend backend() {
    return new Backend("reference", why, Processor.name(), 1);
  }

  @Override
  public IntegerGraph graph() {
    return graph;
  }

  @Override
  public int[] logits(byte[] codes, int pictures) {
    return logits(codes, pictures, Trace.NONE);
  }

  /**
   * Classifies pictures and shows every node's codes on the way.
   *
   * @param codes 8-bit input codes, [pictures][3][image][image]
   * @param pictures number of pictures
   * @param trace receives the nodes in order of execution
   * @return logits, [pictures][classes]
   */
  public int[] logits(byte[] codes, int pictures, Trace trace) {
    if (closed) {
      throw new IllegalStateException("engine reference is closed");
    }
    EngineChecks.input(graph, codes, pictures);
    trace.node(NodeNames.INPUT, codes);
    Architecture a = graph.architecture();
    byte[] patches = NodeKernels.unfold(codes, pictures, a.image(), a.patch());
    ReferenceNodes nodes = new ReferenceNodes(products, trace);
    return graph instanceof SwinGraph swin
        ? swin(swin, patches, nodes)
        : vit((VitGraph) graph, patches, pictures, nodes);
  }

  private static int[] vit(VitGraph graph, byte[] patches, int pictures, ReferenceNodes nodes) {
    short[] projected = nodes.linear16(graph.patchEmbed(), patches);
    short[] x = NodeKernels.embed(graph.embed(), projected, pictures);
    nodes.show(NodeNames.EMBED, x);
    for (IntegerBlock block : graph.blocks()) {
      x = nodes.block(block, x);
    }
    short[] leading = NodeKernels.leading(x, pictures, graph.embed().leading().length);
    return nodes.logits(graph.heads(), nodes.norm(graph.norm(), leading));
  }

  private static int[] swin(SwinGraph graph, byte[] patches, ReferenceNodes nodes) {
    byte[] projected = nodes.linear8(graph.patchEmbed(), patches);
    short[] x = NodeKernels.layerNorm16(graph.patchNorm(), projected);
    nodes.show(graph.patchNorm().name(), x);
    List<Swin.Stage> sites = graph.architecture().stages();
    for (int i = 0; i < sites.size(); i++) {
      SwinStage stage = graph.stages().get(i);
      for (IntegerBlock block : stage.blocks()) {
        x = nodes.block(block, x);
      }
      if (stage.merging() != null) {
        x = nodes.merge(stage.merging(), sites.get(i), x);
      }
    }
    byte[] norm = nodes.norm(graph.norm(), x);
    byte[] pool = NodeKernels.pool(graph.pool(), norm, graph.norm().channels());
    nodes.show(NodeNames.POOL, pool);
    return nodes.logits(graph.heads(), pool);
  }

  @Override
  public void close() {
    closed = true;
  }
}
