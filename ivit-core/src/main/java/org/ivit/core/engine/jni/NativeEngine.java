package org.ivit.core.engine.jni;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.ivit.core.engine.Backend;
import org.ivit.core.engine.Engine;
import org.ivit.core.engine.EngineChecks;
import org.ivit.core.engine.Processor;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.parallel.WorkerPool;

/**
 * Native kernels on several threads. Whole rounds of pictures go one picture a thread; on those
 * that are left of a batch all threads work together, as {@link Schedule} splits them. Weights are
 * bytes, packed once.
 */
public final class NativeEngine implements Engine {
  private final IntegerGraph graph;
  private final WorkerPool pool;
  private final Costs costs;
  private final Backend backend;
  private final NativeModel model;

  /** Calls read, closing writes: memory is freed when the last call has returned. */
  private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();

  /** By number of pictures that threads work on together. */
  private final Map<Integer, Schedule> schedules = new ConcurrentHashMap<>();

  private boolean closed;

  /**
   * @param graph any model
   * @param pool the threads to use; not closed with the engine
   * @param kernels a set of {@link KernelSets} of which {@link NativeLibrary#unavailable} says that
   *     it runs here
   * @param why why this engine was chosen, for {@link #description}
   * @throws RefusedGraphException if the kernels cannot hold the graph
   * @throws IllegalArgumentException if they do not run here
   */
  public NativeEngine(IntegerGraph graph, WorkerPool pool, String kernels, String why)
      throws RefusedGraphException {
    this(graph, pool, kernels, why, Costs.VNNI);
  }

  /** The same with work split by other costs. */
  NativeEngine(IntegerGraph graph, WorkerPool pool, String kernels, String why, Costs costs)
      throws RefusedGraphException {
    String unavailable = NativeLibrary.unavailable(kernels);
    if (unavailable != null) {
      throw new IllegalArgumentException("native kernels " + kernels + ": " + unavailable);
    }
    this.graph = graph;
    this.pool = pool;
    this.costs = costs;
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
      pool.run(whole, i -> alone(codes, i, logits));
      if (whole < count) {
        together(codes, whole, count - whole, logits);
      }
      return logits;
    } finally {
      lock.readLock().unlock();
    }
  }

  /** A picture in the calling thread. */
  private void alone(byte[] codes, int index, int[] logits) {
    model.withPicture(
        picture -> {
          write(codes, index, picture);
          model.run(picture);
          read(picture, logits, index);
        });
  }

  /** Pictures from {@code first} on, fewer than there are threads. */
  private void together(byte[] codes, int first, int count, int[] logits) {
    Schedule schedule =
        schedules.computeIfAbsent(count, n -> Schedule.of(model.steps(), n, pool.threads(), costs));
    model.withPictures(
        count,
        pictures -> {
          pool.run(count, i -> write(codes, first + i, pictures[i]));
          for (Split split : schedule.splits()) {
            pool.run(
                count * split.parts(),
                task -> {
                  long picture = pictures[task % count];
                  split.part(
                      task / count,
                      (phase, from, to, unit, end) ->
                          model.run(phase, picture, from, to, unit, end));
                });
          }
          for (int i = 0; i < count; i++) {
            read(pictures[i], logits, first + i);
          }
        });
  }

  private void write(byte[] codes, int index, long picture) {
    int length = graph.architecture().pixels();
    NativeKernels.setCodes(picture, codes, index * length, length);
  }

  private void read(long picture, int[] logits, int index) {
    int classes = graph.architecture().classes();
    NativeKernels.logits(picture, logits, index * classes, classes);
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
