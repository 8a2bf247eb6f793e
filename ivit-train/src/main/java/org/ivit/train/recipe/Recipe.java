package org.ivit.train.recipe;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.ivit.core.InputException;
import org.ivit.core.io.TextFiles;
import org.ivit.core.pretrained.PretrainedModel;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A run as its YAML describes it, with every default filled in. Paths are relative to the working
 * directory.
 *
 * @param architecture a timm name, or a map such as {@code {kind: vit, image: 32, …}}; where the
 *     YAML has none, that which the weights say
 * @param weights a model of others, a file of float weights, or a run directory for its best; null:
 *     from scratch
 * @param weightsKey the path in that file below which they lie, such as {@code model_ema}; null to
 *     search for them
 * @param precision float or quantized
 * @param quantization how the network becomes integers; null in float precision
 * @param data pictures
 * @param augmentation what happens to training pictures
 * @param optimizer how weights move
 * @param schedule epochs and learning rate
 * @param stochasticDepth probability that the last block drops its branches; block i of n has
 *     i/(n−1) of it, as in timm (its drop_path)
 * @param emaDecay decay of the moving average of the weights, 0 for none; also {@code {decay: …}}
 * @param distillation soft labels, or null
 * @param seed of everything random
 * @param device where steps are taken
 * @param gpu how a GPU takes them
 * @param threads of loader and network; 0 for one a processor
 * @param checkpoints when training checkpoints are written
 * @param output the run directory
 */
public record Recipe(
    JsonNode architecture,
    Path weights,
    String weightsKey,
    Precision precision,
    Quantization quantization,
    Data data,
    Augmentation augmentation,
    Optimizer optimizer,
    ScheduleChoice schedule,
    double stochasticDepth,
    @JsonProperty("ema") double emaDecay,
    Distillation distillation,
    long seed,
    TrainingDevice device,
    GpuChoice gpu,
    int threads,
    CheckpointChoice checkpoints,
    Path output) {

  /** What a run's folder calls its recipe. */
  public static final String FILE = "config.yaml";

  private static final Logger LOG = LoggerFactory.getLogger(Recipe.class);

  /** Reads a recipe without overrides. */
  public static Recipe read(Path file) {
    return read(file, List.of());
  }

  /**
   * Reads a recipe.
   *
   * @param overrides {@code key.path=value} each, the value in YAML; they replace what the file
   *     says
   * @throws InputException if file or overrides cannot be used: one line with file, key path, what
   *     was found and what was expected
   */
  public static Recipe read(Path file, List<String> overrides) {
    return parse(file.toString(), TextFiles.read(file, "a YAML recipe"), overrides);
  }

  /** Reads a recipe from text; {@code file} is the name that messages give it. */
  public static Recipe parse(String file, String text, List<String> overrides) {
    return parse(file, text, overrides, Path.of(""));
  }

  private static Recipe parse(String file, String text, List<String> overrides, Path directory) {
    ObjectNode root = Yaml.map(file, text);
    for (String override : overrides) {
      Yaml.set(root, override);
    }
    return read(new Section(file, directory, "", root));
  }

  static Recipe read(Section root) {
    JsonNode given = root.get("architecture");
    Path weights = root.path("weights");
    String weightsKey = weightsKey(root, weights);
    PretrainedModel pretrained = given == null ? pretrained(weights, weightsKey) : null;
    JsonNode architecture = pretrained == null ? given : pretrained.description();
    if (architecture == null || !(architecture.isTextual() || architecture.isObject())) {
      throw root.bad(
          "architecture", "a timm name or a map with kind, image, patch, dim, depth, ...");
    }
    Precision precision = root.choice("precision", Precision.QUANTIZED, Precision.class);
    boolean fromScratch = weights == null;
    Section optimizerSection = root.section("optimizer");
    Section scheduleSection = root.section("schedule");
    boolean trains =
        !(scheduleSection.has("epochs")
            && scheduleSection.integer("epochs", -1, 0, 1_000_000) == 0);
    Optimizer optimizer = Optimizer.read(optimizerSection, fromScratch, trains ? 0 : 16);
    ScheduleChoice schedule =
        ScheduleChoice.read(scheduleSection, fromScratch, optimizer.learningRate());
    Quantization quantization = null;
    if (precision == Precision.QUANTIZED) {
      quantization = Quantization.read(root.section("quantization"), schedule.allEpochs());
    } else if (root.has("quantization")) {
      throw root.bad("quantization", "no such key beside precision: float");
    }
    boolean ownCalibration = quantization != null && quantization.calibration().data() != null;
    if (!trains && precision == Precision.FLOAT) {
      throw scheduleSection.bad("epochs", "at least 1 with precision: float");
    }
    Data data =
        Data.read(
            root.section("data"),
            trains || !ownCalibration,
            () -> UsualPreprocessing.of(architecture, weights, pretrained));
    JsonNode emaNode = root.get("ema");
    double emaDecay;
    if (emaNode == null || root.isText("ema", "none")) {
      emaDecay = 0;
    } else if (emaNode.isObject()) {
      Section ema = root.section("ema");
      emaDecay = ema.number("decay", 0.9999, 0, 0.999999999);
      ema.end();
    } else {
      emaDecay = root.number("ema", 0, 0, 0.999999999);
    }
    TrainingDevice device = root.choice("device", TrainingDevice.CPU, TrainingDevice.class);
    int cores = Runtime.getRuntime().availableProcessors();
    int threads = root.integer("threads", 0, 0, 4096);
    Recipe recipe =
        new Recipe(
            architecture,
            weights,
            weightsKey,
            precision,
            quantization,
            data,
            Augmentation.read(root.section("augmentation")),
            optimizer,
            schedule,
            root.number("stochasticDepth", 0, 0, 0.99),
            emaDecay,
            Distillation.read(root, "distillation", weights),
            root.integer("seed", 0L, 0L, Long.MAX_VALUE),
            device,
            GpuChoice.read(root.section("gpu")),
            threads == 0 ? cores : threads,
            CheckpointChoice.read(root.section("checkpoints")),
            root.path("output", "runs/run"));
    root.end();
    return recipe;
  }

  /** The model of weights that are not those of a run; null otherwise. */
  private static PretrainedModel pretrained(Path weights, String weightsKey) {
    boolean foreign =
        weights != null && Files.exists(weights) && !Files.isRegularFile(weights.resolve(FILE));
    return foreign
        ? PretrainedModel.open(weights, new PretrainedModel.Wishes(weightsKey), LOG::info)
        : null;
  }

  /** The path within a file of weights; null where the key is absent. */
  static String weightsKey(Section section, Path weights) {
    if (!section.has("weightsKey")) {
      return null;
    }
    if (weights == null) {
      throw section.bad("weightsKey", "no such key without weights");
    }
    return section.text("weightsKey", null, "the path of the weights in their file");
  }

  /** The same run with absolute paths, for processes that work in other directories. */
  public Recipe withAbsolutePaths() {
    return parse("recipe", toYaml(), List.of(), Path.of("").toAbsolutePath());
  }

  /** The same run with another output directory. */
  public Recipe withOutput(Path directory) {
    return with(weights, quantization, device, directory);
  }

  /** The same run from other weights. */
  public Recipe withWeights(Path file) {
    return with(file, quantization, device, output);
  }

  /** The same run with steps taken elsewhere. */
  public Recipe withDevice(TrainingDevice other) {
    return with(weights, quantization, other, output);
  }

  /**
   * The same run, in integers, with other bits of weights.
   *
   * @param rules such as those that calibration chose
   */
  public Recipe withWeightRules(WeightRules rules) {
    return with(weights, quantization.with(rules), device, output);
  }

  private Recipe with(Path from, Quantization integers, TrainingDevice where, Path to) {
    return new Recipe(
        architecture,
        from,
        weightsKey,
        precision,
        integers,
        data,
        augmentation,
        optimizer,
        schedule,
        stochasticDepth,
        emaDecay,
        distillation,
        seed,
        where,
        gpu,
        threads,
        checkpoints,
        to);
  }

  /** The recipe with every default written out; {@link #parse} reads it to an equal recipe. */
  public String toYaml() {
    return Yaml.write(this);
  }
}
