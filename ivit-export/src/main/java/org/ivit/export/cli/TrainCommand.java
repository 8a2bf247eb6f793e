package org.ivit.export.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.ivit.core.InputException;
import org.ivit.core.engine.choice.EngineConfig;
import org.ivit.export.cli.option.Checks;
import org.ivit.export.cli.option.GpuOption;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code ivit train}: runs a recipe, or goes on with a run. */
@Command(
    name = "train",
    footerHeading =
        "%nExamples:%n  ivit train --config configs/cifar10_deit_float.yaml --output runs/float%n "
            + " ivit train --resume runs/float%n",
    description = "Trains, fine-tunes or calibrates a model as a YAML recipe says.")
final class TrainCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(names = "--config", paramLabel = "F", description = "The recipe.")
  private Path config;

  @Option(
      names = "--set",
      paramLabel = "KEY=VALUE",
      description = "Replaces a value of the recipe, such as schedule.epochs=0. Repeatable.")
  private List<String> overrides = new ArrayList<>();

  @Option(
      names = "--resume",
      paramLabel = "DIR",
      description = "Goes on with the run in this directory, as its own recipe says.")
  private Path resume;

  @Option(
      names = "--output",
      paramLabel = "DIR",
      description = "Run directory, instead of the recipe's.")
  private Path output;

  @Option(
      names = "--device",
      paramLabel = "cpu|cuda",
      description = "Where steps are taken, instead of the recipe's; also where a run goes on.")
  private String device;

  @Mixin private GpuOption gpu;

  @Option(
      names = "--spark",
      paramLabel = "MASTER",
      description =
          "Compute gradients on the executors of this Apache Spark cluster. Needs"
              + " scripts/ivit-spark.")
  private String spark;

  @Override
  public Integer call() {
    if (device != null && !device.equals("cpu") && !device.equals("cuda")) {
      throw new InputException("--device: found '" + device + "', expected cpu or cuda");
    }
    gpu.validate();
    if (resume == null && config == null) {
      throw new InputException("train: found neither --config nor --resume, expected one of them");
    }
    for (String override : overrides) {
      if (override.indexOf('=') < 1) {
        throw new InputException("--set: found '" + override + "', expected key=value");
      }
    }
    if (resume != null) {
      if (output != null || (config == null && !overrides.isEmpty())) {
        throw new InputException(
            "--resume: a run goes on with its own recipe, expected no "
                + (output != null ? "--output" : "--set")
                + " beside it");
      }
      if (!Files.isDirectory(resume)) {
        throw new InputException("--resume: " + resume + ": no such folder");
      }
    }
    Checks.file("--config", config);
    return Training.run(
        new Training.Request(
            config, overrides, resume, output, device, gpu.of(EngineConfig.standard()), spark),
        spec.commandLine().getOut(),
        spec.commandLine().getErr());
  }
}
