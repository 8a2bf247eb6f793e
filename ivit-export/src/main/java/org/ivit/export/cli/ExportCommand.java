package org.ivit.export.cli;

import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.ivit.core.InputException;
import org.ivit.core.image.PreprocessChange;
import org.ivit.export.cli.option.Checks;
import org.ivit.export.cli.option.TransformOptions;
import org.ivit.export.evaluate.ModelReading;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * {@code ivit export}: freezes a run, or a published checkpoint, to an integer checkpoint, or
 * writes a model as ONNX.
 */
@Command(
    name = "export",
    footerHeading =
        "%nExamples:%n  ivit export --run runs/qat --output vit.ivit.safetensors%n  ivit export"
            + " --format onnx-qdq --model vit.ivit.safetensors --output vit.onnx%n",
    description = {
      "Freezes a trained run to an integer checkpoint and verifies it.",
      "Or turns a checkpoint of the published I-ViT training into one.",
      "Or writes a run or a model as an ONNX file for other runtimes."
    })
final class ExportCommand implements Callable<Integer> {
  private static final String INTEGER_CHECKPOINT = "ivit";

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

    @Option(
        names = "--model",
        required = true,
        paramLabel = "F",
        description =
            "For ONNX: a run directory, a Hugging Face folder, or float weights with"
                + " --architecture.")
    private Path model;
  }

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      defaultValue = INTEGER_CHECKPOINT,
      description =
          "ivit; onnx: the float network; onnx-qdq: with int8 products; onnx-integer: the"
              + " integer model in integer operators (default:"
              + " ${DEFAULT-VALUE}).")
  private String format;

  @Option(
      names = "--architecture",
      paramLabel = "NAME",
      description = "timm name or JSON description of float weights or a published checkpoint.")
  private String architecture;

  @Option(
      names = "--weights-key",
      paramLabel = "PATH",
      description =
          "Where float weights or a published checkpoint lie in their file, where several are"
              + " there.")
  private String weightsKey;

  @Mixin private TransformOptions transform;

  @Option(
      names = "--classes",
      paramLabel = "FILE",
      description = "Names of the classes, one a line, where the source does not know them.")
  private Path classes;

  @Option(
      names = "--output",
      required = true,
      paramLabel = "F",
      description = "The file to write, by convention NAME.ivit.safetensors or NAME.onnx.")
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

  @Option(
      names = "--qdq-weights",
      paramLabel = "FORM",
      description =
          "Of onnx-qdq: unsigned, exact on every processor (the default), or signed, for processors"
              + " with VNNI only: ONNX Runtime saturates on others.")
  private String qdqWeights;

  @Override
  public Integer call() {
    Checks.atLeast("--verify", verify, 0);
    Checks.oneOf("--checkpoint", checkpoint, "best", "latest");
    Checks.oneOf("--weights", weights, "auto", "raw", "ema");
    Checks.oneOf("--format", format, INTEGER_CHECKPOINT, "onnx", "onnx-qdq", "onnx-integer");
    if (qdqWeights != null) {
      Checks.oneOf("--qdq-weights", qdqWeights, "unsigned", "signed");
      if (!format.equals("onnx-qdq")) {
        throw new InputException("--qdq-weights: expected --format onnx-qdq with it");
      }
    }
    PrintWriter out = spec.commandLine().getOut();
    out.println(format.equals(INTEGER_CHECKPOINT) ? integerCheckpoint() : onnx());
    return 0;
  }

  private String integerCheckpoint() {
    if (source.model != null) {
      throw new InputException(
          "--model: expected --format onnx with it; an integer checkpoint is made from --run or"
              + " --published-checkpoint");
    }
    if (source.published != null) {
      return published();
    }
    if (architecture != null || classes != null || weightsKey != null) {
      throw new InputException("--architecture, --weights-key and --classes: a run knows its own");
    }
    requireOwnTransform("a run");
    requireRun();
    Checks.writable("--output", output);
    return Exporting.export(
        source.run,
        output,
        verify,
        checkpoint.toUpperCase(Locale.ROOT),
        weights.toUpperCase(Locale.ROOT));
  }

  private void requireOwnTransform(String source) {
    if (!transform.change().equals(PreprocessChange.NONE)) {
      throw new InputException(
          "--resize, --crop-mode, --interpolation, --mean and --std: %s knows its own"
              .formatted(source));
    }
  }

  private void requireRun() {
    if (!Files.isDirectory(source.run)) {
      throw new InputException("--run: " + source.run + ": no such folder");
    }
  }

  private String onnx() {
    if (source.published != null) {
      throw new InputException(
          "--published-checkpoint: expected --format ivit with it; its integer checkpoint is then"
              + " a --model for ONNX");
    }
    if (source.run != null) {
      requireRun();
      requireOwnTransform("a run");
      if (architecture != null || weightsKey != null) {
        throw new InputException("--architecture and --weights-key: a run knows its own");
      }
    } else {
      Checks.exists("--model", source.model);
    }
    Checks.file("--classes", classes);
    Checks.writable("--output", output);
    return OnnxExporting.of(
            source.run,
            source.model,
            reading(),
            classes,
            checkpoint.toUpperCase(Locale.ROOT),
            weights.toUpperCase(Locale.ROOT),
            qdqWeights == null ? "unsigned" : qdqWeights)
        .export(format, output);
  }

  private String published() {
    Checks.file("--published-checkpoint", source.published);
    if (architecture == null) {
      throw new InputException(
          "--architecture is missing: a published checkpoint does not say what model it is");
    }
    Checks.file("--classes", classes);
    Checks.writable("--output", output);
    return PublishedExport.export(source.published, reading(), classes, output);
  }

  private ModelReading reading() {
    return new ModelReading(architecture, weightsKey, transform.change());
  }
}
