package org.ivit.export.cli;

import org.ivit.core.engine.Engines;
import org.ivit.core.engine.cuda.CudaEngine;
import org.ivit.export.cli.option.Checks;
import picocli.CommandLine.Option;

/** How a model is run. */
final class EngineOptions {
  @Option(
      names = "--engine",
      paramLabel = "NAME",
      description = "Engine of an integer model; without it, the fastest that runs here.")
  String engine;

  @Option(
      names = "--device",
      paramLabel = "N",
      description = "Number of the GPU of the engine cuda; without it, 0.")
  Integer device;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads; without it, one a processor.")
  int threads;

  /** Refuses impossible values before anything long starts; engines read the properties. */
  void validate() {
    Checks.atLeast("--threads", threads, 0);
    if (threads > 0) {
      System.setProperty("ivit.threads", Integer.toString(threads));
    }
    if (device != null) {
      Checks.atLeast("--device", device, 0);
      System.setProperty(CudaEngine.DEVICE, Integer.toString(device));
    }
    if (engine != null) {
      Checks.oneOf("--engine", engine, Engines.names().toArray(String[]::new));
    }
  }

  int threads() {
    return threads > 0 ? threads : Runtime.getRuntime().availableProcessors();
  }
}
