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
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Architectures;
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
 * @param description sizes and options, as {@link Architectures#parse} reads them
 * @param weights parameters in the form that parts of a chain have: see {@link CanonicalWeights}
 * @param preprocess how the source prepares pictures
 * @param classes names in the order of the logits; empty where the source has none
 */
public record PretrainedModel(
    ObjectNode description, TensorFile weights, Preprocess preprocess, List<String> classes) {
  private static final String CONFIG = "config.json";
  private static final String IMAGE = "image";
  private static final String POSITIONS = "pos_embed";
  private static final String PATCHES = "patch_embed.proj.weight";
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
    public static final Wishes NONE = new Wishes(JsonNodeFactory.instance.objectNode(), null);
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
      Unsupported missing = new Unsupported();
      ModelClaims claims = configured(config, contents, missing, say);
      WeightPlace place = WeightPlace.find(contents, wishes.weightsKey, say);
      TensorFile read = place.read(contents);
      TensorFile timm = withRegisters(TimmNames.of(read), claims);
      missing.addAll(timm);
      missing.refuse(contents.source());
      if (claims == null) {
        claims = ReleaseClaims.of(place.timm().source(), contents, read, timm);
      }
      place.sayLeftOut(contents, say);
      return model(timm, claims, wishes.keys, say);
    }
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
  private static TensorFile withRegisters(TensorFile timm, ModelClaims claims) {
    boolean single =
        timm.tensors().containsKey("dist_token")
            && !timm.tensors().containsKey("head_dist.weight")
            && claims != null;
    if (!single) {
      return timm;
    }
    Map<String, Tensor> tensors = new LinkedHashMap<>(timm.tensors());
    tensors.put("reg_token", tensors.remove("dist_token"));
    return new TensorFile(tensors, timm.metadata(), timm.source());
  }

  private static PretrainedModel model(
      TensorFile timm, ModelClaims claims, ObjectNode wishes, Consumer<String> say) {
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
    TensorFile canonical = CanonicalWeights.of(timm, heads);
    int[] image = ModelShapes.image(description.get(IMAGE));
    return new PretrainedModel(
        description,
        fitted(canonical, description, claims.resampling(), say),
        claims.preprocess().apply(image[0]),
        claims.classes());
  }

  private static TensorFile fitted(
      TensorFile file, ObjectNode description, GridResampling rule, Consumer<String> say) {
    Map<String, Tensor> tensors = new LinkedHashMap<>(file.tensors());
    int patch = description.path("patch").intValue();
    int[] image = ModelShapes.image(description.get(IMAGE));
    Tensor kernel = file.get(PATCHES);
    int old = (int) kernel.shape()[2];
    if (old != patch) {
      GridResampling filter =
          rule == GridResampling.BILINEAR ? rule : GridResampling.BICUBIC_ANTIALIAS;
      long dim = kernel.shape()[0];
      tensors.put(
          PATCHES,
          Tensor.of(
              PatchResampling.resample(kernel.floats(), old, patch, filter), dim, 3, patch, patch));
      say.accept(
          "%s: the projection of patches of %d pixels is resampled to %d"
              .formatted(file.source(), old, patch));
    }
    Tensor positions = file.tensors().get(POSITIONS);
    int rows = image[0] / patch;
    int columns = image[1] / patch;
    if (positions != null) {
      boolean all = !description.path("positions").asText("all").equals("patches");
      Tensor fitted =
          PositionGrid.fit(positions, all ? prefix(description) : 0, rows, columns, rule);
      if (fitted == null) {
        throw new InputException(
            "%s: tensor pos_embed: is %s, expected positions of a square of patches"
                .formatted(file.source(), positions));
      }
      if (!fitted.equals(positions)) {
        say.accept(
            "%s: position embeddings of %d tokens interpolated to %d, for pictures of %d × %d"
                .formatted(
                    file.source(), positions.shape()[1], fitted.shape()[1], image[0], image[1]));
      }
      tensors.put(POSITIONS, fitted);
    } else if (description.path("relative_positions").booleanValue()) {
      requireTable(file, rows, columns);
    }
    return new TensorFile(tensors, file.metadata(), file.source());
  }

  private static int prefix(ObjectNode description) {
    return (description.path("class_token").asBoolean(true) ? 1 : 0)
        + (description.path("distilled").asBoolean(false) ? 1 : 0)
        + description.path("registers").intValue();
  }

  private static void requireTable(TensorFile file, int rows, int columns) {
    long expected = (2L * rows - 1) * (2L * columns - 1) + 3;
    file.tensors()
        .forEach(
            (name, tensor) -> {
              if (name.endsWith(TABLE) && tensor.shape()[0] != expected) {
                throw new InputException(
                    "%s: tensor %s: is %s, expected %d rows for %d × %d patches: relative positions are"
                            .formatted(file.source(), name, tensor, expected, rows, columns)
                        + " not resampled");
              }
            });
  }

  /**
   * The chain of parts.
   *
   * @throws InputException if the description is not one of {@link Architectures#parse}
   */
  public Architecture architecture() {
    return Architectures.parse(description);
  }
}
