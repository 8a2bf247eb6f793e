package org.ivit.export.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.ivit.core.InputException;
import org.ivit.export.cli.option.Checks;
import org.ivit.export.cli.option.TransformOptions;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code ivit quantize}: from float weights and pictures to an integer checkpoint. */
@Command(
    name = "quantize",
    footerHeading =
        "%nExample:%n  ivit quantize --weights dinov2-small --data photos \\%n      --output"
            + " dinov2.ivit.safetensors%n",
    description = {
      "Quantizes float weights on some pictures, without training, and verifies the integers.",
      "Without a recipe: exact softmax with 16 bits of attention, GELU in asymmetric codes,"
          + " equalized attention, outlier channels and ranges by the error that they cause,"
          + " weights rounded by second-order error, on 64 pictures spread over the folder."
    })
final class QuantizeCommand implements Callable<Integer> {
  private static final String KL = "kl=";

  @Spec private CommandSpec spec;

  @Option(
      names = "--weights",
      paramLabel = "F",
      description =
          "Float weights (safetensors, .pth, .npz) with --architecture, a Hugging Face folder or a"
              + " run directory; instead of the recipe's.")
  private Path weights;

  @Option(
      names = "--architecture",
      paramLabel = "NAME",
      description =
          "Architecture of a file of weights: a timm name, or a JSON description such as"
              + " {\"kind\":\"vit\",\"image\":32,...}; instead of the recipe's.")
  private String architecture;

  @Option(
      names = "--weights-key",
      paramLabel = "PATH",
      description =
          "Where the weights lie in their file, such as model_ema or ema.module, where several are"
              + " there.")
  private String weightsKey;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description =
          "Pictures to calibrate on: a folder of pictures or of folders of them, FILE.zip or"
              + " FILE.zip/FOLDER; instead of the recipe's. Labels are not needed.")
  private String data;

  @Option(
      names = "--config",
      paramLabel = "F",
      description = "A recipe of ivit train; its calibration is run and nothing is trained.")
  private Path config;

  @Option(
      names = "--set",
      paramLabel = "KEY=VALUE",
      description =
          "Replaces a value of the recipe, such as quantization.softmax=deferred. Repeatable.")
  private List<String> overrides = new ArrayList<>();

  @Option(
      names = "--weight-bits",
      paramLabel = "N",
      description =
          "Bits of a weight: 8, 6, 5 or 4, or auto for a choice by layer within --weight-budget; as"
              + " --set quantization.weights.bits=N. Patch embedding and classifier keep 8.")
  private String weightBits;

  @Option(
      names = "--weight-budget",
      paramLabel = "BUDGET",
      description =
          "With --weight-bits auto: what the file may take, such as 3.5MB (10^6 bytes), or kl=0.02 for"
              + " the KL divergence from the float model that the calibration pictures may show; as"
              + " --set quantization.weights.size=3.5MB or .kl=0.02.")
  private String weightBudget;

  @Option(
      names = "--weight-codes",
      paramLabel = "NAME",
      description =
          "How fewer bits become 8-bit codes: group, table or uniform; as --set"
              + " quantization.weights.codes=NAME.")
  private String weightCodes;

  @Mixin private TransformOptions transform;

  @Option(
      names = "--classes",
      paramLabel = "FILE",
      description = "Names of the classes, one a line, where nothing else names them.")
  private Path classes;

  @Option(
      names = "--output",
      required = true,
      paramLabel = "F",
      description = "The file to write, by convention NAME.ivit.safetensors.")
  private Path output;

  @Option(
      names = "--verify",
      paramLabel = "N",
      defaultValue = "16",
      description =
          "Pictures on which the engine's logits must equal those of calibration's own integers; 0"
              + " for none (default: ${DEFAULT-VALUE}).")
  private int verify;

  @Override
  public Integer call() {
    Checks.atLeast("--verify", verify, 0);
    for (String override : overrides) {
      if (override.indexOf('=') < 1) {
        throw new InputException("--set: found '" + override + "', expected key=value");
      }
    }
    set("quantization.weights.bits", weightBits);
    set("quantization.weights.codes", weightCodes);
    setBudget();
    transform.settings().forEach(this::set);
    Checks.exists("--weights", weights);
    Checks.file("--config", config);
    Checks.file("--classes", classes);
    Checks.writable("--output", output);
    PrintWriter out = spec.commandLine().getOut();
    new Quantizing(
            new Quantizing.Request(
                weights, architecture, weightsKey, data, config, overrides, classes),
            out)
        .run(verify, output);
    return ExitCode.OK;
  }

  private void setBudget() {
    if (weightBudget == null) {
      return;
    }
    boolean byDistance = weightBudget.startsWith(KL);
    set(
        "quantization.weights." + (byDistance ? "kl" : "size"),
        byDistance ? weightBudget.substring(KL.length()) : weightBudget);
  }

  private void set(String key, Object value) {
    if (value != null) {
      overrides.add(key + "=" + value);
    }
  }
}
