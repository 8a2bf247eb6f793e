package org.ivit.core.engine.portable;

import org.ivit.core.engine.Backend;
import org.ivit.core.engine.Engine;
import org.ivit.core.engine.EngineChecks;
import org.ivit.core.engine.Processor;
import org.ivit.core.engine.portable.product.ExactProduct;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.parallel.WorkerPool;

/**
 * Portable Java on several threads. Whole rounds of pictures go one picture a thread; what is left
 * of a batch is split over the threads picture by picture.
 *
 * <p>Holds the weights as float32, four bytes each. Buffers are kept for reuse.
 */
public final class PortableEngine implements Engine {
  private final IntegerGraph graph;
  private final WorkerPool pool;
  private final String why;
  private final ExactProduct product;
  private final PortableForward forward;
  private volatile boolean closed;

  /**
   * Uses the threads of the whole process.
   *
   * @param graph any model
   */
  public PortableEngine(IntegerGraph graph) {
    this(graph, WorkerPool.shared(), "asked for");
  }

  /**
   * @param graph any model
   * @param pool the threads to use; not closed with the engine
   * @param why why this engine was chosen, for {@link #description}
   */
  public PortableEngine(IntegerGraph graph, WorkerPool pool, String why) {
    this(graph, pool, why, ExactProduct.fastest());
  }

  PortableEngine(IntegerGraph graph, WorkerPool pool, String why, ExactProduct product) {
    this.product = product;
    this.graph = graph;
    this.pool = pool;
    this.why = why;
    this.forward = new PortableForward(graph, pool, product);
  }

  @Override
  public String name() {
    return "cpu";
  }

  @Override
  public String description() {
    return "cpu: %s on %d threads (%s)".formatted(product.title(), pool.threads(), why);
  }

  @Override
  public Backend backend() {
    return new Backend("java", why, Processor.name(), pool.threads());
  }

  @Override
  public IntegerGraph graph() {
    return graph;
  }

  @Override
  public int[] logits(byte[] codes, int count) {
    if (closed) {
      throw new IllegalStateException("engine cpu is closed");
    }
    EngineChecks.input(graph, codes, count);
    int[] logits = new int[count * graph.architecture().classes()];
    int whole = count / pool.threads() * pool.threads();
    pool.run(whole, i -> forward.run(codes, i, logits));
    for (int i = whole; i < count; i++) {
      forward.run(codes, i, logits);
    }
    return logits;
  }

  @Override
  public void close() {
    closed = true;
    forward.clear();
  }
}
