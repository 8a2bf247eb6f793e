package org.ivit.export.cli.option;

import org.ivit.core.cuda.Gpu;
import org.ivit.core.engine.choice.EngineConfig;
import picocli.CommandLine.Option;

/** Which GPU. */
public final class GpuOption {
  @Option(
      names = "--gpu",
      paramLabel = "N",
      description = "Number of the GPU, where one is used; without it, 0.")
  private Integer number;

  /** Refuses impossible values. */
  public void validate() {
    if (number != null) {
      Checks.atLeast("--gpu", number, 0);
    }
  }

  /** The GPU of the option, or else of the system's settings. */
  public Gpu of(EngineConfig standard) {
    return number == null ? standard.gpu() : standard.gpu().withNumber(number);
  }
}
