package org.ivit.core.engine.jni;

import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.ivit.core.engine.Backend;
import org.ivit.core.engine.Engine;
import org.ivit.core.engine.EngineChecks;
import org.ivit.core.engine.Processor;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.parallel.WorkerPool;

/**
 * Native kernels on several threads. Whole rounds of pictures go one picture a thread; the rows of
 * those that are left of a batch are split over the threads. Weights are bytes, packed once.
 */
public final class NativeEngine implements Engine {
  private final IntegerGraph graph;
  private final WorkerPool pool;
  private final Backend backend;
  private final NativeModel model;

  /** Calls read, closing writes: memory is freed when the last call has returned. */
  private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();

  private boolean closed;

  /**
   * @param graph any model
   * @param pool the threads to use; not closed with the engine
   * @param kernels {@code amx}, {@code vnni}, {@code avx2} or {@code c}, of which {@link
   *     NativeLibrary#unavailable} says that they run here
   * @param why why this engine was chosen, for {@link #description}
   * @throws RefusedGraphException if the kernels cannot hold the graph
   * @throws IllegalArgumentException if they do not run here
   */
  public NativeEngine(IntegerGraph graph, WorkerPool pool, String kernels, String why)
      throws RefusedGraphException {
    String unavailable = NativeLibrary.unavailable(kernels);
    if (unavailable != null) {
      throw new IllegalArgumentException("native kernels " + kernels + ": " + unavailable);
    }
    this.graph = graph;
    this.pool = pool;
    this.backend = new Backend(kernels, why, Processor.name(), pool.threads());
    this.model = new NativeModel(graph, kernels);
  }

  @Override
  public String name() {
    return "cpu";
  }

  @Override
  public String description() {
    return "cpu: native kernels %s on %d threads (%s)"
        .formatted(backend.kernels(), backend.threads(), backend.why());
  }

  @Override
  public Backend backend() {
    return backend;
  }

  @Override
  public IntegerGraph graph() {
    return graph;
  }

  @Override
  public int[] logits(byte[] codes, int count) {
    lock.readLock().lock();
    try {
      if (closed) {
        throw new IllegalStateException("engine cpu is closed");
      }
      EngineChecks.input(graph, codes, count);
      int[] logits = new int[count * graph.architecture().classes()];
      int whole = count / pool.threads() * pool.threads();
      pool.run(whole, i -> picture(codes, i, logits, false));
      for (int i = whole; i < count; i++) {
        picture(codes, i, logits, true);
      }
      return logits;
    } finally {
      lock.readLock().unlock();
    }
  }

  private void picture(byte[] codes, int index, int[] logits, boolean split) {
    int image = graph.architecture().image();
    int length = 3 * image * image;
    int classes = graph.architecture().classes();
    model.withPicture(
        picture -> {
          NativeKernels.setCodes(picture, codes, index * length, length);
          for (int i = 0; i < model.steps(); i++) {
            int step = i;
            if (split) {
              pool.ranges(
                  model.rows(step), 4, (from, to, part) -> model.run(step, picture, from, to));
            } else {
              model.run(step, picture, 0, model.rows(step));
            }
          }
          NativeKernels.logits(picture, logits, index * classes, classes);
        });
  }

  @Override
  public void close() {
    lock.writeLock().lock();
    try {
      closed = true;
      model.free();
    } finally {
      lock.writeLock().unlock();
    }
  }
}
