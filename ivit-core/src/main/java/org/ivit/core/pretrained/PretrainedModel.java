package org.ivit.core.pretrained;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.ivit.core.InputException;
import org.ivit.core.MessageText;
import org.ivit.core.Size;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.family.Architectures;
import org.ivit.core.family.PretrainedPreprocess;
import org.ivit.core.image.Preprocess;
import org.ivit.core.pretrained.names.TimmNames;
import org.ivit.core.tensor.TensorContents;
import org.ivit.core.tensor.TensorFile;
import org.ivit.core.tensor.TensorFiles;

/**
 * A model as others leave it, recognised by what lies beside its weights or by their names: a
 * folder of timm or Hugging Face, one of open_clip, or the file of a release: DINOv2's or DINOv3's
 * {@code .pth}, OpenAI's {@code .pt}, the {@code .npz} of augreg and big_vision, torchvision's.
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
  private static final String ARCHITECTURE = "architecture";
  private static final String IMAGE = "image";
  private static final String ROTARY = "rotary";
  private static final String TABLE = ".relative_position_bias_table";
  private static final String OPEN_CLIP = "open_clip_";

  /** Copies. */
  public PretrainedModel {
    classes = List.copyOf(classes);
  }

  /**
   * What a user says beside the path.
   *
   * @param keys of an inline description that the source does not say, or that shall be others:
   *     {@code image}, {@code heads}, …
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

    /**
     * What a user gives as an architecture: an object without {@code kind}, {@code base} and {@code
     * parts} has keys that complete what the source says.
     *
     * @param architecture a timm name or JSON text; null for nothing
     * @param weightsKey as of the record
     * @return null where it is an architecture of its own
     * @throws InputException if it is no JSON
     */
    public static Wishes of(String architecture, String weightsKey) {
      if (architecture == null) {
        return new Wishes(weightsKey);
      }
      if (!architecture.stripLeading().startsWith("{")) {
        return null;
      }
      try {
        JsonNode json = new ObjectMapper().readTree(architecture);
        boolean own = json.has("kind") || json.has("base") || json.has("parts");
        return own ? null : new Wishes((ObjectNode) json, weightsKey);
      } catch (JsonProcessingException e) {
        throw new InputException(
            "architecture: not well-formed JSON: " + MessageText.problem(e), e);
      }
    }

    private boolean isNone() {
      return keys.isEmpty();
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
    JsonFile config = config(file);
    try (TensorContents contents = TensorFiles.contents(file)) {
      if (config == null && contents.metadata().containsKey(ARCHITECTURE) && wishes.isNone()) {
        return ofRun(contents, wishes.weightsKey, say);
      }
      Unsupported missing = new Unsupported();
      ModelClaims configured = configured(config, contents, missing, say);
      WeightPlace place = WeightPlace.find(contents, wishes.weightsKey, say);
      TensorFile timm = TimmNames.of(place.read(contents));
      if (configured != null) {
        timm = CanonicalWeights.withRegister(timm);
      }
      missing.addAll(timm, placed(configured, place.timm().source(), wishes));
      missing.refuse(contents.source());
      ModelClaims claims = configured == null ? ReleaseClaims.of(place, contents) : configured;
      place.sayLeftOut(contents, say);
      return model(timm, place.timm().source(), claims, wishes.keys, say);
    }
  }

  /** Whether something beside the tensors says which positions the model has, or will be asked. */
  private static boolean placed(ModelClaims configured, TimmNames.Source source, Wishes wishes) {
    boolean said =
        configured == null
            ? source == TimmNames.Source.DINOV3 || source == TimmNames.Source.TIMM
            : configured.keys().has(ROTARY);
    return said || wishes.keys.has(ROTARY);
  }

  /** Weights that a training run here has saved, with the architecture beside them. */
  private static PretrainedModel ofRun(
      TensorContents contents, String weightsKey, Consumer<String> say) {
    Architecture architecture = Architectures.parse(contents.metadata().get(ARCHITECTURE));
    TensorFile found = new WeightSearch(architecture, weightsKey, say).find(contents);
    WeightCheck.check(found, architecture);
    return new PretrainedModel(
        architecture,
        Architectures.toJson(architecture),
        found,
        PretrainedPreprocess.usual(architecture),
        List.of());
  }

  /**
   * How the source prepares pictures, without its weights.
   *
   * @param path a folder or file as of {@link #open(Path, Consumer)}
   * @param image size of the model's pictures
   * @param say hears where nothing says it, and what is taken
   * @return nothing where the source does not say of which model it is
   * @throws InputException as {@link #open(Path, Consumer)}
   */
  public static Optional<Preprocess> preprocess(Path path, Size image, Consumer<String> say) {
    try (TensorContents contents = TensorFiles.contents(TensorFiles.file(path))) {
      return preprocess(path, contents, image, say);
    }
  }

  /** As {@link #preprocess(Path, Size, Consumer)}, of a file that is open. */
  public static Optional<Preprocess> preprocess(
      Path path, TensorContents contents, Size image, Consumer<String> say) {
    JsonFile config = config(TensorFiles.file(path));
    ModelClaims configured = configured(config, contents, new Unsupported(), say);
    if (configured != null) {
      return Optional.of(preprocess(configured, image));
    }
    return WeightPlace.look(contents, null, line -> {})
        .filter(place -> ReleaseClaims.knows(place, contents))
        .map(place -> preprocess(ReleaseClaims.of(place, contents), image));
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
