package org.ivit.export.cli;

import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.ivit.core.InputException;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code ivit export}: freezes a run, or a published checkpoint, to an integer checkpoint. */
@Command(
    name = "export",
    description = {
      "Freezes a trained run to an integer checkpoint and verifies it.",
      "Or turns a checkpoint of the published I-ViT training into one."
    })
final class ExportCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @ArgGroup(multiplicity = "1")
  private Source source;

  private static final class Source {
    @Option(names = "--run", required = true, paramLabel = "DIR", description = "Run directory.")
    private Path run;

    @Option(
        names = "--published-checkpoint",
        required = true,
        paramLabel = "F",
        description = "What the published quant_train.py saved, for example checkpoint.pth.tar.")
    private Path published;
  }

  @Option(
      names = "--architecture",
      paramLabel = "NAME",
      description = "timm name or JSON description of the published checkpoint's model.")
  private String architecture;

  @Option(
      names = "--classes",
      paramLabel = "FILE",
      description = "Names of the published checkpoint's classes, one a line.")
  private Path classes;

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
    PrintWriter out = spec.commandLine().getOut();
    if (source.published != null) {
      out.println(published());
      return 0;
    }
    if (architecture != null || classes != null) {
      throw new InputException(
          "--architecture and --classes belong to --published-checkpoint: a run knows its own");
    }
    Path run = source.run;
    if (!Files.isDirectory(run)) {
      throw new InputException("--run: " + run + ": no such folder");
    }
    Checks.writable("--output", output);
    out.println(
        Exporting.export(
            run,
            output,
            verify,
            checkpoint.toUpperCase(Locale.ROOT),
            weights.toUpperCase(Locale.ROOT)));
    return 0;
  }

  private String published() {
    Checks.file("--published-checkpoint", source.published);
    if (architecture == null) {
      throw new InputException(
          "--architecture is missing: a published checkpoint does not say what model it is");
    }
    if (classes != null) {
      Checks.file("--classes", classes);
    }
    Checks.writable("--output", output);
    return PublishedExport.export(source.published, architecture, classes, output);
  }
}
