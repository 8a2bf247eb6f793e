package org.ivit.core.pretrained;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.ivit.core.architecture.Positions;
import org.ivit.core.architecture.Rotary.Kind;
import org.ivit.core.family.VitOptions.Pool;

/**
 * What {@code config.json} and {@code preprocessor_config.json} of a Hugging Face folder say. Keys
 * that published files leave out are as the library's classes have them.
 */
final class HuggingFaceConfig {
  static final String TYPE = "model_type";

  private static final String ACTIVATION = "hidden_act";
  private static final Map<String, String> ACTIVATIONS =
      Map.of(
          "gelu", "gelu",
          "quick_gelu", "quick_gelu",
          "gelu_pytorch_tanh", "gelu_tanh",
          "gelu_new", "gelu_tanh");
  private static final Set<String> TYPES =
      Set.of(
          "vit",
          "deit",
          "swin",
          "vit_mae",
          "beit",
          "dinov2",
          "dinov2_with_registers",
          "dinov3_vit",
          "clip",
          "clip_vision_model",
          "siglip",
          "siglip_vision_model");
  private static final Map<String, String> NOT_YET =
      Map.of(
          "swinv2",
          Unsupported.COSINE,
          "siglip2",
          "pictures of any proportions in one batch",
          "siglip2_vision_model",
          "pictures of any proportions in one batch");

  private final Path folder;
  private final JsonFile config;
  private final String type;
  private final Set<String> names;
  private final Consumer<String> say;
  private final ObjectNode keys = JsonNodeFactory.instance.objectNode();

  private HuggingFaceConfig(Path folder, JsonFile config, Set<String> names, Consumer<String> say) {
    this.folder = folder;
    this.config = config;
    this.type = config.text(TYPE);
    this.names = names;
    this.say = say;
  }

  /**
   * Reads and checks what a folder says.
   *
   * @param config its {@code config.json}
   * @param names of all tensors of the model, under those of the file
   * @param missing hears what no part computes
   * @param say hears where there is no file of the transform
   * @throws org.ivit.core.InputException naming file and key of what is missing, of a wrong type,
   *     or of a model that is not one of those above
   */
  static ModelClaims read(
      Path folder, JsonFile config, Set<String> names, Unsupported missing, Consumer<String> say) {
    HuggingFaceConfig reader = new HuggingFaceConfig(folder, config, names, say);
    String notYet = NOT_YET.get(reader.type);
    if (notYet != null) {
      missing.add(notYet);
      missing.refuse(folder.toString());
    }
    if (!TYPES.contains(reader.type)) {
      throw config.wrong(TYPE, "one of " + String.join(", ", TYPES.stream().sorted().toList()));
    }
    return switch (reader.type) {
      case "swin" -> reader.swin();
      case "dinov3_vit" -> reader.dinov3();
      case "clip", "clip_vision_model", "siglip", "siglip_vision_model" -> reader.tower();
      default -> reader.vit(missing);
    };
  }

  /** Positions of DINOv2 and DINOv3 follow the picture, whose size the transform says. */
  private static int picture(Path folder, String type, int image) {
    return type.startsWith("dino")
        ? HuggingFacePreprocessor.side(folder, Math.min(image, 224))
        : image;
  }

  private static String processed(String type) {
    return type.replace("_vision_model", "");
  }

  private ModelClaims claims(int image, List<String> classes) {
    return new ModelClaims(
        keys,
        side ->
            ModelTransforms.scaled(
                HuggingFacePreprocessor.read(folder, processed(type), image, say), side),
        classes);
  }

  private ModelClaims vit(Unsupported missing) {
    boolean dino = type.startsWith("dinov2");
    activation(config, null);
    config.require("num_channels", "3", "3");
    if (config.flag("use_shared_relative_position_bias", false)) {
      missing.add(Unsupported.SHARED_TABLE);
    }
    config.require("use_absolute_position_embeddings", "false", "false");
    boolean biases = names.stream().anyMatch(name -> name.endsWith("query.bias"));
    if (!config.flag("qkv_bias", true) && biases) {
      throw config.wrong("qkv_bias", "true, as the file has biases of queries");
    }
    keys.put("name", "huggingface_" + type);
    int image = picture(folder, type, config.side("image_size"));
    int dim = config.integer("hidden_size");
    keys.put("image", image);
    keys.put("patch", config.side("patch_size"));
    keys.put("dim", dim);
    keys.put("depth", config.integer("num_hidden_layers"));
    keys.put("heads", config.integer("num_attention_heads"));
    if (!dino) {
      keys.put("hidden", config.integer("intermediate_size"));
    } else if (!config.flag("use_swiglu_ffn", false)) {
      keys.put("hidden", (int) (dim * config.real("mlp_ratio", 4)));
    }
    keys.put("epsilon", config.real("layer_norm_eps"));
    if (type.equals("dinov2_with_registers")) {
      int registers = config.integer("num_register_tokens", 4);
      keys.put("registers", registers);
      if (registers > 0) {
        // The class token's is added to it; as many as are left may be those of all tokens, too.
        keys.put("positions", Positions.PATCHES.key());
      }
    }
    if (type.equals("deit")) {
      deit();
    }
    boolean classifies = classifies();
    List<String> classes = classifies ? classes() : List.of();
    keys.put("classes", classes.size());
    if (dino && classifies) {
      keys.put("pool", Pool.TOKEN_AVG.key());
    }
    return claims(image, classes);
  }

  private ModelClaims dinov3() {
    boolean gated = config.flag("use_gated_mlp", false);
    String activation = config.text(ACTIVATION, "gelu");
    if (!activation.equals(gated ? "silu" : "gelu")) {
      throw config.wrong(ACTIVATION, gated ? "silu" : "the exact GELU, \"gelu\"");
    }
    config.require("num_channels", "3", "3");
    if (config.real("rope_theta", Kind.DINOV3.base()) != Kind.DINOV3.base()) {
      throw config.wrong("rope_theta", "100");
    }
    int image = picture(folder, type, config.side("image_size"));
    keys.put("name", "huggingface_dinov3");
    keys.put("image", image);
    keys.put("patch", config.side("patch_size"));
    keys.put("dim", config.integer("hidden_size"));
    keys.put("depth", config.integer("num_hidden_layers"));
    keys.put("heads", config.integer("num_attention_heads"));
    keys.put("hidden", config.integer("intermediate_size"));
    keys.put("epsilon", config.real("layer_norm_eps", 1e-5));
    keys.put("registers", config.integer("num_register_tokens", 4));
    keys.put("rotary", Kind.DINOV3.key());
    List<String> classes = classifies() ? classes() : List.of();
    keys.put("classes", classes.size());
    return claims(image, classes);
  }

  /** Without a teacher's head the distillation token is one that no head reads: a register. */
  private void deit() {
    boolean teacher = names.stream().anyMatch(name -> name.startsWith("distillation_classifier."));
    if (teacher) {
      config.requireClass("DeiTForImageClassificationWithTeacher");
    }
    keys.put("distilled", teacher);
    keys.put("registers", teacher ? 0 : 1);
  }

  private ModelClaims swin() {
    activation(config, null);
    config.require("num_channels", "3", "3");
    config.require("qkv_bias", "true", "true");
    config.require("use_absolute_embeddings", "false", "false");
    if (config.real("mlp_ratio") != 4) {
      throw config.wrong("mlp_ratio", "4");
    }
    int image = config.side("image_size");
    keys.put("name", "huggingface_swin");
    keys.put("image", image);
    keys.put("patch", config.side("patch_size"));
    keys.put("window", config.integer("window_size"));
    keys.put("dim", config.integer("embed_dim"));
    config.integers("depths").forEach(keys.putArray("depths")::add);
    config.integers("num_heads").forEach(keys.putArray("heads")::add);
    keys.put("epsilon", config.real("layer_norm_eps"));
    List<String> classes = classifies() ? classes() : List.of();
    keys.put("classes", classes.size());
    return claims(image, classes);
  }

  private ModelClaims tower() {
    boolean clip = type.startsWith("clip");
    JsonFile vision = config.has("vision_config") ? config.object("vision_config") : config;
    String activation = activation(vision, clip ? "quick_gelu" : "gelu_pytorch_tanh");
    if (vision.integer("num_channels", 3) != 3) {
      throw vision.wrong("num_channels", "3");
    }
    int image = vision.has("image_size") ? vision.side("image_size") : 224;
    keys.put("name", "huggingface_" + processed(type));
    keys.put("image", image);
    keys.put("patch", vision.has("patch_size") ? vision.side("patch_size") : clip ? 32 : 16);
    keys.put("dim", vision.integer("hidden_size", 768));
    keys.put("depth", vision.integer("num_hidden_layers", 12));
    keys.put("heads", vision.integer("num_attention_heads", 12));
    keys.put("hidden", vision.integer("intermediate_size", 3072));
    keys.put("epsilon", vision.real("layer_norm_eps", clip ? 1e-5 : 1e-6));
    keys.put("activation", activation);
    boolean projection = names.contains("visual_projection.weight");
    keys.put("projection", projection);
    if (projection) {
      keys.put("classes", config.integer("projection_dim", 512));
    }
    return claims(image, List.of());
  }

  private static String activation(JsonFile config, String otherwise) {
    String said = otherwise == null ? config.text(ACTIVATION) : config.text(ACTIVATION, otherwise);
    String known = ACTIVATIONS.get(said);
    if (known == null || (otherwise == null && !known.equals("gelu"))) {
      throw config.wrong(
          ACTIVATION,
          otherwise == null
              ? "the exact GELU, \"gelu\""
              : "gelu, quick_gelu, gelu_pytorch_tanh or gelu_new");
    }
    return known;
  }

  /** Whether the folder's model has a classifier. */
  private boolean classifies() {
    JsonNode architectures = config.node().path("architectures");
    boolean named =
        IntStream.range(0, architectures.size())
            .anyMatch(i -> architectures.get(i).asText().contains("ForImageClassification"));
    return named
        || names.stream()
            .anyMatch(name -> name.contains("classifier.") || name.equals("head.weight"));
  }

  private List<String> classes() {
    JsonNode labels = config.node().get("id2label");
    if (labels == null || labels.isNull()) {
      // Configurations leave out what is as by default: two classes.
      int count = config.integer("num_labels", 2);
      return IntStream.range(0, count).mapToObj(i -> "LABEL_" + i).toList();
    }
    if (!labels.isObject() || labels.isEmpty()) {
      throw config.wrong("id2label", "the names of the classes by number");
    }
    List<String> classes = new ArrayList<>();
    for (int i = 0; i < labels.size(); i++) {
      JsonNode name = labels.get(Integer.toString(i));
      if (name == null || !name.isTextual()) {
        throw config.wrong("id2label", "a name for each class from 0 on, none for " + i);
      }
      classes.add(name.textValue());
    }
    return classes;
  }
}
