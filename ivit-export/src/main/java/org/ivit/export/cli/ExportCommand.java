package org.ivit.export.cli;

import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.ivit.core.InputException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code ivit export}: freezes a run to an integer checkpoint. */
@Command(
    name = "export",
    description = "Freezes a trained run to an integer checkpoint and verifies it.")
final class ExportCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(names = "--run", required = true, paramLabel = "DIR", description = "Run directory.")
  private Path run;

  @Option(
      names = "--output",
      required = true,
      paramLabel = "F",
      description = "The checkpoint to write, by convention NAME.ivit.safetensors.")
  private Path output;

  @Option(
      names = "--verify",
      paramLabel = "N",
      defaultValue = "16",
      description =
          "Pictures of the run on which the engine's logits must equal the training network's;"
              + " 0 for none (default: ${DEFAULT-VALUE}).")
  private int verify;

  @Option(
      names = "--checkpoint",
      paramLabel = "WHICH",
      defaultValue = "best",
      description = "best (in validation) or latest (default: ${DEFAULT-VALUE}).")
  private String checkpoint;

  @Option(
      names = "--weights",
      paramLabel = "WHICH",
      defaultValue = "auto",
      description =
          "raw, ema, or auto: the moving average where there is one (default: ${DEFAULT-VALUE}).")
  private String weights;

  @Override
  public Integer call() {
    Checks.atLeast("--verify", verify, 0);
    Checks.oneOf("--checkpoint", checkpoint, "best", "latest");
    Checks.oneOf("--weights", weights, "auto", "raw", "ema");
    if (!Files.isDirectory(run)) {
      throw new InputException("--run: " + run + ": no such folder");
    }
    Checks.writable("--output", output);
    PrintWriter out = spec.commandLine().getOut();
    out.println(
        Exporting.export(
            run,
            output,
            verify,
            checkpoint.toUpperCase(Locale.ROOT),
            weights.toUpperCase(Locale.ROOT)));
    return 0;
  }
}
