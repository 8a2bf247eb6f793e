package org.ivit.core.engine.reference;

import org.ivit.core.architecture.Node;
import org.ivit.core.engine.Backend;
import org.ivit.core.engine.Engine;
import org.ivit.core.engine.EngineChecks;
import org.ivit.core.engine.MatrixProducts;
import org.ivit.core.engine.Processor;
import org.ivit.core.graph.GraphPart;
import org.ivit.core.graph.IntegerGraph;

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
    trace.node(Node.INPUT.name(), codes);
    ReferenceForward forward = new ReferenceForward(products, trace, codes, pictures);
    for (GraphPart part : graph.parts()) {
      part.accept(forward);
    }
    return forward.logits();
  }

  @Override
  public void close() {
    closed = true;
  }
}
