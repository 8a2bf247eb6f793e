package org.ivit.export.cli.option;

import java.nio.file.Path;
import org.ivit.export.evaluate.FloatReading;
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

  /** Opens the model. */
  public Model open() {
    return Models.open(model, floats(), engine.config());
  }

  /** How a file of float weights is read. */
  public FloatReading floats() {
    return new FloatReading(architecture, weightsKey);
  }

  /** What the model runs on. */
  public EngineOptions engine() {
    return engine;
  }
}
