package org.ivit.core.pretrained;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.ivit.core.InputException;
import org.ivit.core.Size;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.family.Architectures;
import org.ivit.core.image.Preprocess;
import org.ivit.core.pretrained.names.TimmNames;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.tensor.TensorContents;
import org.ivit.core.tensor.TensorFile;
import org.ivit.core.tensor.TensorFiles;

/**
 * A model as others leave it, recognised by what lies beside its weights or by their names: a
 * folder of timm or Hugging Face, one of open_clip, or the file of a release: DINOv2's {@code
 * .pth}, OpenAI's {@code .pt}, the {@code .npz} of augreg and big_vision, torchvision's.
 *
 * @param architecture its chain of parts
 * @param description the same as an inline description, for {@link Architectures#parse}
 * @param weights parameters in the form that parts of a chain have: see {@link CanonicalWeights}
 * @param preprocess how the source prepares pictures
 * @param classes names in the order of the logits; empty where the source has none
 */
public record PretrainedModel(
    Architecture architecture,
    ObjectNode description,
    TensorFile weights,
    Preprocess preprocess,
    List<String> classes) {
  private static final String CONFIG = "config.json";
  private static final String IMAGE = "image";
  private static final String TABLE = ".relative_position_bias_table";
  private static final String OPEN_CLIP = "open_clip_";

  /** Copies. */
  public PretrainedModel {
    classes = List.copyOf(classes);
  }

  /**
   * What a user says beside the path.
   *
   * @param keys of an inline description that the source does not say, or that shall be others, as
   *     {@code image} or {@code heads}
   * @param weightsKey the path in the file below which the weights lie; null to search for it
   */
  public record Wishes(ObjectNode keys, String weightsKey) {
    /** Nothing. */
    public static final Wishes NONE = new Wishes(null);

    /**
     * No keys.
     *
     * @param weightsKey as of the record
     */
    public Wishes(String weightsKey) {
      this(JsonNodeFactory.instance.objectNode(), weightsKey);
    }
  }

  /**
   * Opens a folder or file.
   *
   * @param say hears what was left out, interpolated or chosen
   * @throws InputException naming file and key or tensor of what is missing or not known; or what a
   *     model has that is not supported
   */
  public static PretrainedModel open(Path path, Consumer<String> say) {
    return open(path, Wishes.NONE, say);
  }

  /** As {@link #open(Path, Consumer)}, where a user says more. */
  public static PretrainedModel open(Path path, Wishes wishes, Consumer<String> say) {
    Path file = TensorFiles.file(path);
    try (TensorContents contents = TensorFiles.contents(file)) {
      Unsupported missing = new Unsupported();
      ModelClaims configured = configured(config(file), contents, missing, say);
      WeightPlace place = WeightPlace.find(contents, wishes.weightsKey, say);
      TensorFile timm = TimmNames.of(place.read(contents));
      if (configured != null) {
        timm = withRegister(timm);
      }
      missing.addAll(timm);
      missing.refuse(contents.source());
      ModelClaims claims = configured == null ? ReleaseClaims.of(place, contents) : configured;
      place.sayLeftOut(contents, say);
      return model(timm, place.timm().source(), claims, wishes.keys, say);
    }
  }

  /**
   * How the source prepares pictures, without its weights.
   *
   * @param path a folder or file as of {@link #open(Path, Consumer)}
   * @param image size of the model's pictures
   * @param say hears where nothing says it, and what is taken
   * @throws InputException as {@link #open(Path, Consumer)}
   */
  public static Preprocess preprocess(Path path, Size image, Consumer<String> say) {
    Path file = TensorFiles.file(path);
    try (TensorContents contents = TensorFiles.contents(file)) {
      ModelClaims claims = configured(config(file), contents, new Unsupported(), say);
      if (claims == null) {
        claims = ReleaseClaims.of(WeightPlace.find(contents, null, line -> {}), contents);
      }
      return preprocess(claims, image);
    }
  }

  private static Preprocess preprocess(ModelClaims claims, Size image) {
    return ModelTransforms.scaled(claims.preprocess().apply(image.longer()), image);
  }

  /** Whether a folder says of which model its weights are. */
  public static boolean isConfigured(Path folder) {
    return Files.isRegularFile(folder.resolve(CONFIG))
        || Files.isRegularFile(folder.resolve(OpenClipConfig.FILE));
  }

  /** Null where no configuration lies beside the file. */
  private static JsonFile config(Path file) {
    boolean openClip = file.getFileName().toString().startsWith(OPEN_CLIP);
    List<String> names =
        openClip ? List.of(OpenClipConfig.FILE, CONFIG) : List.of(CONFIG, OpenClipConfig.FILE);
    for (String name : names) {
      Path beside = file.resolveSibling(name);
      if (Files.isRegularFile(beside)) {
        return JsonFile.read(beside);
      }
    }
    return null;
  }

  private static ModelClaims configured(
      JsonFile config, TensorContents contents, Unsupported missing, Consumer<String> say) {
    if (config == null) {
      return null;
    }
    if (config.has("model_cfg")) {
      return OpenClipConfig.read(config, contents.names());
    }
    boolean timm = config.has(TimmConfig.NAME);
    if (timm) {
      boolean headed = contents.names().stream().anyMatch(name -> name.endsWith("head.weight"));
      return TimmConfig.read(config, headed, missing);
    }
    return HuggingFaceConfig.read(
        config.file().toAbsolutePath().getParent(), config, contents.names(), missing, say);
  }

  /** A distillation token that no head reads is a register. */
  private static TensorFile withRegister(TensorFile timm) {
    Map<String, Tensor> tensors = new LinkedHashMap<>(timm.tensors());
    if (tensors.containsKey("head_dist.weight") || !tensors.containsKey("dist_token")) {
      return timm;
    }
    tensors.put("reg_token", tensors.remove("dist_token"));
    return new TensorFile(tensors, timm.metadata(), timm.source());
  }

  private static PretrainedModel model(
      TensorFile timm,
      TimmNames.Source source,
      ModelClaims claims,
      ObjectNode wishes,
      Consumer<String> say) {
    ObjectNode keys = claims.keys().deepCopy();
    keys.setAll(wishes);
    if (claims.keys().has(IMAGE)) {
      keys.set(IMAGE, claims.keys().get(IMAGE));
    } else {
      keys.remove(IMAGE);
    }
    ObjectNode description = ModelShapes.describe(timm, keys);
    if (wishes.has(IMAGE)) {
      description.set(IMAGE, wishes.get(IMAGE));
    }
    boolean pooled = description.path("pool").asText().equals("map");
    int heads = pooled ? description.path("heads").intValue() : 0;
    TensorFile canonical = CanonicalWeights.widened(CanonicalWeights.of(timm, heads));
    GridResampling rule = GridResampling.of(source, timm.tensors().containsKey("reg_token"));
    Architecture architecture = Architectures.parse(description);
    if (description.path("relative_positions").booleanValue()) {
      requireTable(canonical, architecture.stem().grid());
    }
    TensorFile fitted = new WeightAdaptation(architecture, rule, say).positions(canonical);
    WeightCheck.check(fitted, architecture);
    return new PretrainedModel(
        architecture,
        description,
        fitted,
        preprocess(claims, architecture.image()),
        claims.classes());
  }

  private static void requireTable(TensorFile file, Size grid) {
    long expected = (2L * grid.height() - 1) * (2L * grid.width() - 1) + 3;
    file.tensors()
        .forEach(
            (name, tensor) -> {
              if (name.endsWith(TABLE) && tensor.shape()[0] != expected) {
                throw new InputException(
                    "%s: tensor %s: is %s, expected %d rows for %s patches: relative positions are"
                            .formatted(file.source(), name, tensor, expected, grid)
                        + " not resampled");
              }
            });
  }
}
