package org.ivit.export.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.ivit.core.InputException;
import org.ivit.core.dataset.Datasets;
import org.ivit.core.dataset.Locations;
import org.ivit.export.cli.option.Checks;
import org.ivit.export.cli.option.JsonOption;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code ivit diagnose}: where the accuracy of an integer model goes. */
@Command(
    name = "diagnose",
    footerHeading =
        "%nExample:%n  ivit diagnose --model vit.ivit.safetensors --against vit.safetensors \\%n   "
            + "   --architecture vit_tiny_patch16_224 --data imagenet/val%n",
    description = {
      "Says what the quantization of each node of a run or an integer model costs against a float",
      "model.",
      "snr: signal-to-noise ratio of the node in the integer model, with all errors before it.",
      "cost: KL divergence of the float model's logits when this node alone is quantized; of a"
          + " model",
      "that answers with features 1 - cosine.",
      "rule: channels that stand out, by the rule of outliers: auto."
    })
final class DiagnoseCommand implements Callable<Integer> {
  @Spec CommandSpec spec;

  @Option(names = "--run", paramLabel = "DIR", description = "Run directory.")
  Path run;

  @Option(
      names = "--model",
      paramLabel = "F",
      description = "An integer checkpoint instead of a run.")
  Path model;

  @Option(
      names = "--against",
      required = true,
      paramLabel = "FLOAT",
      description = "The float model: weights, a Hugging Face folder, or a float run.")
  Path against;

  @Option(
      names = "--architecture",
      paramLabel = "NAME",
      description = "Architecture of float weights; by default the integer model's.")
  String architecture;

  @Option(
      names = "--weights-key",
      paramLabel = "PATH",
      description = "Where the float weights lie in their file, where several are there.")
  String weightsKey;

  @Option(
      names = "--data",
      required = true,
      paramLabel = "DIR",
      description =
          "Pictures: an image folder, a ZIP of one, CIFAR-10; with scripts/ivit-spark also Parquet"
              + " files and Hadoop's paths.")
  String data;

  @Option(names = "--classes", paramLabel = "FILE", description = "Order of the classes.")
  Path classes;

  @Option(
      names = "--limit",
      paramLabel = "N",
      defaultValue = "16",
      description = "Pictures, spread over the set (default: ${DEFAULT-VALUE}).")
  int limit;

  @Option(
      names = "--top",
      paramLabel = "N",
      defaultValue = "20",
      description = "Rows of the table, the most expensive first (default: ${DEFAULT-VALUE}).")
  int top;

  @Mixin JsonOption json;

  @Option(names = "--html", paramLabel = "F", description = "Write a report with all nodes.")
  Path html;

  @Override
  public Integer call() {
    Checks.atLeast("--limit", limit, 1);
    Checks.atLeast("--top", top, 1);
    if ((run == null) == (model == null)) {
      throw new InputException("--run, --model: expected exactly one of them");
    }
    if (model != null) {
      Checks.file("--model", model);
    } else if (!Files.isDirectory(run)) {
      throw new InputException("--run: " + run + ": no such folder");
    }
    Checks.exists("--against", against);
    if (!Locations.isRemote(data) && !Datasets.exists(data)) {
      throw new InputException("--data: " + data + ": no such file or folder");
    }
    Checks.file("--classes", classes);
    json.validate();
    Checks.writable("--html", html);
    Diagnosing.diagnose(this, json.text(spec));
    return 0;
  }
}
