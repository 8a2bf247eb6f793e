package org.ivit.export.cli;

import org.ivit.core.engine.Engines;
import picocli.CommandLine.Option;

/** How a model is run. */
final class EngineOptions {
  @Option(
      names = "--engine",
      paramLabel = "NAME",
      description = "Engine of an integer model; without it, the fastest that runs here.")
  String engine;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads; without it, one a processor.")
  int threads;

  /** Refuses impossible values before anything long starts; the pool reads {@code ivit.threads}. */
  void validate() {
    Checks.atLeast("--threads", threads, 0);
    if (threads > 0) {
      System.setProperty("ivit.threads", Integer.toString(threads));
    }
    if (engine != null) {
      Checks.oneOf("--engine", engine, Engines.names().toArray(String[]::new));
    }
  }

  int threads() {
    return threads > 0 ? threads : Runtime.getRuntime().availableProcessors();
  }
}
