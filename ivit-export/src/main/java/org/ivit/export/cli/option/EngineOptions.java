package org.ivit.export.cli.option;

import org.ivit.core.engine.choice.EngineConfig;
import org.ivit.core.engine.choice.Engines;
import org.ivit.core.parallel.WorkerPool;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How a model is run. */
public final class EngineOptions {
  @Option(
      names = "--engine",
      paramLabel = "NAME",
      description = "Engine of an integer model; without it, the fastest that runs here.")
  private String engine;

  @Mixin private GpuOption gpu;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads; without it, one a processor.")
  private int threads;

  /** Refuses impossible values before anything long starts. */
  public void validate() {
    Checks.within("--threads", threads, 0, WorkerPool.MOST_THREADS);
    gpu.validate();
    if (engine != null) {
      Checks.oneOf("--engine", engine, Engines.names().toArray(String[]::new));
    }
  }

  /** How a model is run. */
  public EngineConfig config() {
    return unnamed().withEngine(engine);
  }

  /** How another model is run, whose engine is not the option's. */
  public EngineConfig unnamed() {
    EngineConfig standard = EngineConfig.standard();
    return (threads > 0 ? standard.withThreads(threads) : standard).withGpu(gpu.of(standard));
  }
}
