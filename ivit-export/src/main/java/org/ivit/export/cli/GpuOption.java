package org.ivit.export.cli;

import org.ivit.core.cuda.Gpu;
import org.ivit.core.engine.choice.EngineConfig;
import org.ivit.export.cli.option.Checks;
import picocli.CommandLine.Option;

/** Which GPU. */
final class GpuOption {
  @Option(
      names = "--gpu",
      paramLabel = "N",
      description = "Number of the GPU, where one is used; without it, 0.")
  private Integer number;

  /** Refuses impossible values. */
  void validate() {
    if (number != null) {
      Checks.atLeast("--gpu", number, 0);
    }
  }

  /** The GPU of the option, or else of the system's settings. */
  Gpu of(EngineConfig standard) {
    return number == null ? standard.gpu() : standard.gpu().withNumber(number);
  }
}
