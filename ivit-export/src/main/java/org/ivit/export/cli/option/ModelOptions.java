package org.ivit.export.cli.option;

import java.nio.file.Path;
import org.ivit.core.image.PreprocessChange;
import org.ivit.export.evaluate.ModelReading;
import org.ivit.export.evaluate.Models;
import org.ivit.export.model.Model;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Which model, and how it is run. */
public final class ModelOptions {
  @Option(
      names = "--model",
      required = true,
      paramLabel = "F",
      description =
          "An integer checkpoint, a run directory, a Hugging Face folder, or float weights"
              + " (safetensors, .pth, .npz) with --architecture.")
  public Path model;

  @Option(
      names = "--architecture",
      paramLabel = "NAME",
      description =
          "Architecture of float weights: a timm name, or a JSON description such as"
              + " {\"kind\":\"vit\",\"image\":32,...}.")
  String architecture;

  @Option(
      names = "--weights-key",
      paramLabel = "PATH",
      description =
          "Where float weights lie in their file, such as model_ema or ema.module, where several"
              + " are there.")
  String weightsKey;

  @Mixin private EngineOptions engine;

  /** Refuses what cannot be used before anything long starts. */
  public void validate() {
    engine.validate();
    Checks.exists("--model", model);
  }

  /** Opens the model, with its own transform. */
  public Model open() {
    return open(PreprocessChange.NONE);
  }

  /** Opens the model, with what of its transform is wanted otherwise. */
  public Model open(PreprocessChange transform) {
    return Models.open(model, reading(transform), engine.config());
  }

  /** What is said of the model, or of one beside it. */
  public ModelReading reading(PreprocessChange transform) {
    return new ModelReading(architecture, weightsKey, transform);
  }

  /** What the model runs on. */
  public EngineOptions engine() {
    return engine;
  }
}
