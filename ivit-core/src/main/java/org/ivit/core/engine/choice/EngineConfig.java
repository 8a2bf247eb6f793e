package org.ivit.core.engine.choice;

import java.io.Serializable;
import java.util.Objects;
import org.ivit.core.InputException;
import org.ivit.core.cuda.Gpu;
import org.ivit.core.parallel.WorkerPool;

/**
 * How a model is run. A value: {@link #standard} says what the process was told by system
 * properties, and the {@code with} methods what a caller wants instead.
 *
 * @param engine which; null for the fastest of the processor
 * @param kernels what the engine {@code cpu} runs on; null for the fastest
 * @param threads how many work on a call, the calling one among them; 0 for one a processor
 * @param gpu of the engine {@code cuda}
 */
public record EngineConfig(Asked engine, Asked kernels, int threads, Gpu gpu)
    implements Serializable {
  /** The system property that names an engine. */
  public static final String ENGINE = "ivit.engine";

  /** The system property that names what the engine {@code cpu} runs on. */
  public static final String KERNELS = "ivit.cpu";

  /** The system property that numbers the GPU, from 0. */
  public static final String GPU = "ivit.gpu";

  /** The system property that lets Hopper multiply by warpgroups, which no GPU has proved yet. */
  public static final String WARPGROUPS = "ivit.cuda.wgmma";

  /** The system property that lets Hopper multiply by clusters, which no GPU has proved yet. */
  public static final String TENSOR_MAPS = "ivit.cuda.tma";

  /**
   * The system property that, as {@code false}, has every kernel on a Hopper started only after the
   * one in front has ended: without programmatic dependent launch.
   */
  public static final String DEPENDENT_LAUNCHES = "ivit.cuda.pdl";

  /**
   * @throws IllegalArgumentException if threads are not 0 to {@link WorkerPool#MOST_THREADS}
   */
  public EngineConfig {
    Objects.requireNonNull(gpu, "gpu");
    if (threads < 0 || threads > WorkerPool.MOST_THREADS) {
      throw new IllegalArgumentException("threads: " + threads);
    }
  }

  /**
   * What the properties {@value #ENGINE}, {@value #KERNELS}, {@value WorkerPool#PROPERTY}, {@value
   * #GPU}, {@value #WARPGROUPS}, {@value #TENSOR_MAPS} and {@value #DEPENDENT_LAUNCHES} say;
   * without them the fastest engine of the processor, one thread a processor, and the first GPU
   * where one is asked for.
   *
   * @throws InputException if a property is no number; names are looked at when an engine is opened
   */
  public static EngineConfig standard() {
    return new EngineConfig(
        Asked.byProperty(ENGINE),
        Asked.byProperty(KERNELS),
        WorkerPool.configuredThreads(0),
        new Gpu(
            gpuNumber(),
            Boolean.getBoolean(WARPGROUPS),
            Boolean.getBoolean(TENSOR_MAPS),
            dependentLaunches()));
  }

  private static boolean dependentLaunches() {
    return !System.getProperty(DEPENDENT_LAUNCHES, "true").strip().equalsIgnoreCase("false");
  }

  private static int gpuNumber() {
    String text = System.getProperty(GPU, "0").strip();
    if (!text.matches("[0-9]{1,4}")) {
      throw new InputException("property %s: '%s', expected a number from 0".formatted(GPU, text));
    }
    return Integer.parseInt(text);
  }

  /**
   * The same with an engine.
   *
   * @param name one of {@link Engines#names}, or null for what is set already
   */
  public EngineConfig withEngine(String name) {
    return name == null ? this : new EngineConfig(new Asked(name, null), kernels, threads, gpu);
  }

  /**
   * The same with what the engine {@code cpu} runs on.
   *
   * @param name a set of {@link org.ivit.core.engine.jni.KernelSets}, such as {@code vnni}, or
   *     {@code java}
   */
  public EngineConfig withKernels(String name) {
    return new EngineConfig(engine, new Asked(name, null), threads, gpu);
  }

  /**
   * The same with a number of threads.
   *
   * @param count how many work on a call, the calling one among them; 0 for one a processor
   */
  public EngineConfig withThreads(int count) {
    return new EngineConfig(engine, kernels, count, gpu);
  }

  /** The same with a GPU for the engine {@code cuda}. */
  public EngineConfig withGpu(Gpu which) {
    return new EngineConfig(engine, kernels, threads, which);
  }

  /** The engine that a caller named, not a property; null without one. */
  public String namedEngine() {
    return engine == null || engine.property() != null ? null : engine.name();
  }

  /** The threads, which all engines with as many of them share. */
  public WorkerPool pool() {
    return WorkerPool.shared(threads == 0 ? WorkerPool.processors() : threads);
  }
}
