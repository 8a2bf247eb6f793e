package org.ivit.core.pretrained;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.ivit.core.architecture.Rotary.Kind;
import org.ivit.core.image.CropMode;
import org.ivit.core.image.Interpolation;
import org.ivit.core.image.Preprocess;

/**
 * What the {@code config.json} of a timm folder says: the architecture's name, which implies ε,
 * activation and what is not supported; pool, picture size and transform. Published files mostly
 * have no {@code model_args}; where they are, they win over the name.
 */
final class TimmConfig {
  static final String NAME = "architecture";

  private static final String ARGUMENTS = "model_args";
  private static final String PRETRAINED = "pretrained_cfg";
  private static final String USE_ROTARY = "use_rot_pos_emb";

  /** Names of models that are chains of parts here, as far as their tensors are. */
  private static final Pattern KNOWN =
      Pattern.compile("(vit|deit|deit3|flexivit|beit|beitv2|eva02|swin)_.*");

  /** What names imply that no part computes; their tensors do not always show it. */
  private static final Map<Pattern, String> MISSING = new LinkedHashMap<>();

  /** Arguments that shapes show, or that change nothing of a forward pass. */
  private static final Set<String> SHOWN =
      Set.of(
          "attn_drop_rate",
          "class_token",
          "depth",
          "depths",
          "drop_path_rate",
          "drop_rate",
          "dynamic_img_size",
          "embed_dim",
          "fc_norm",
          "init_values",
          "mlp_ratio",
          "no_embed_class",
          "num_reg_tokens",
          "num_classes",
          "patch_size",
          "pos_drop_rate",
          "pre_norm",
          "proj_drop_rate",
          "qkv_bias",
          "qkv_fused",
          "reg_tokens",
          "scale_mlp",
          "strict_img_size",
          "swiglu_align_to",
          "swiglu_mlp",
          "use_abs_pos_emb",
          "use_fc_norm",
          "use_rel_pos_bias",
          "weight_init",
          "window_size",
          "in_chans");

  /** Arguments that are read. */
  private static final Set<String> READ =
      Set.of(
          "act_layer",
          "global_pool",
          "img_size",
          "mlp_layer",
          "norm_layer",
          "num_heads",
          "ref_feat_shape",
          "rope_rotate_half",
          "rope_temperature",
          "rope_type",
          USE_ROTARY);

  /** Arguments that ask for what no part computes, unless they are false or null. */
  private static final Map<String, String> ASKING =
      Map.of(
          "block_fn", "attention and MLP in parallel",
          "pretrained_window_sizes", Unsupported.COSINE,
          "qk_norm", "norms of queries and keys",
          "scale_attn_inner", Unsupported.INNER_NORM,
          "use_shared_rel_pos_bias", Unsupported.SHARED_TABLE);

  /** Names with rotary positions measured in the grid of their pretraining, 16 × 16 patches. */
  private static final Pattern OF_GRID = Pattern.compile("eva02_.*|vit_.*_rope_reg\\d_.*");

  private static final int PRETRAINING_GRID = 16;
  private static final Set<String> MLPS = Set.of("Mlp", "SwiGLUPacked", "SwiGLU");

  private static final Pattern TANH =
      Pattern.compile(
          "vit_base_patch32_siglip(_gap)?_256|vit_large_patch16_siglip(_gap)?_512"
              + "|vit_(so400m|giantopt)_patch16_siglip(_gap)?_\\d+");
  private static final Pattern EPSILON = Pattern.compile("LayerNorm(?:\\(eps=([0-9.e-]+)\\))?");
  private static final Map<String, String> ACTIVATIONS =
      Map.of(
          "gelu", "gelu",
          "GELU", "gelu",
          "quick_gelu", "quick_gelu",
          "QuickGELU", "quick_gelu",
          "gelu_tanh", "gelu_tanh",
          "GELUTanh", "gelu_tanh");

  static {
    MISSING.put(Pattern.compile("vit_pe_.*|.*_rope_(?!reg\\d).*"), Unsupported.ROTARY);
    MISSING.put(Pattern.compile("swinv2_.*"), Unsupported.COSINE);
    MISSING.put(Pattern.compile("vit_.*rpn_.*"), "norms after their branches");
    MISSING.put(Pattern.compile("vit_s?relpos_.*"), "relative positions in a ViT");
  }

  private final JsonFile config;
  private final JsonFile pretrained;
  private final JsonFile arguments;
  private final String name;
  private final ObjectNode keys = JsonNodeFactory.instance.objectNode();

  private TimmConfig(JsonFile config) {
    this.config = config;
    this.pretrained = config.has(PRETRAINED) ? config.object(PRETRAINED) : config;
    this.arguments =
        config.has(ARGUMENTS)
            ? config.object(ARGUMENTS)
            : new JsonFile(config.file(), JsonNodeFactory.instance.objectNode());
    this.name = config.text(NAME);
  }

  /**
   * Reads and checks what a folder says.
   *
   * @param config its {@code config.json}
   * @param headed whether its tensors have a head
   * @param missing hears what no part computes
   * @throws org.ivit.core.InputException naming the key of what is of a wrong type, or of a model
   *     that is not known
   */
  static ModelClaims read(JsonFile config, boolean headed, Unsupported missing) {
    TimmConfig reader = new TimmConfig(config);
    reader.findMissing(missing);
    return reader.claims(headed);
  }

  private void findMissing(Unsupported missing) {
    boolean implied = false;
    for (Map.Entry<Pattern, String> each : MISSING.entrySet()) {
      if (each.getKey().matcher(name).matches()) {
        missing.add(each.getValue());
        implied = true;
      }
    }
    if (!implied && !KNOWN.matcher(name).matches()) {
      throw config.wrong(
          NAME, "a ViT, DeiT, DeiT-III, FlexiViT, BEiT, EVA-02, DINO or Swin of timm");
    }
    for (Iterator<String> keys = arguments.node().fieldNames(); keys.hasNext(); ) {
      String key = keys.next();
      JsonNode value = arguments.node().get(key);
      boolean asked = !value.isNull() && !(value.isBoolean() && !value.booleanValue());
      if (ASKING.containsKey(key) && asked) {
        missing.add(ASKING.get(key));
      } else if (!ASKING.containsKey(key) && !SHOWN.contains(key) && !READ.contains(key)) {
        throw arguments.wrong(key, "no such key: what it does to the model is not known");
      }
    }
  }

  private ModelClaims claims(boolean headed) {
    keys.put("name", name);
    int[] image = image();
    if (image[0] == image[1]) {
      keys.put("image", image[0]);
    } else {
      keys.putArray("image").add(image[0]).add(image[1]);
    }
    // Heads of a Swin are a list, which the tables of relative positions show as well.
    if (arguments.has("num_heads") && !arguments.node().get("num_heads").isArray()) {
      keys.put("heads", arguments.integer("num_heads"));
    }
    boolean clip = name.contains("_clip_");
    keys.put("epsilon", epsilon(clip || dinov3() || name.startsWith("swin_") ? 1e-5 : 1e-6));
    if (!name.startsWith("swin_")) {
      keys.put("activation", activation());
      if (arguments.has("mlp_layer") && !MLPS.contains(arguments.text("mlp_layer"))) {
        throw arguments.wrong("mlp_layer", "Mlp or SwiGLUPacked");
      }
      rotary();
      String pool = arguments.text("global_pool", config.text("global_pool", ""));
      if (!pool.isEmpty()) {
        keys.put("pool", pool(pool));
      }
      // Tuned to classes, the head is one of them; else it is the projection to CLIP's features.
      keys.put("projection", clip && headed && !pretrained.text("tag", "").contains("ft_"));
    }
    return new ModelClaims(keys, this::preprocess, classes());
  }

  private boolean dinov3() {
    return name.contains("_dinov3");
  }

  private void rotary() {
    boolean ofGrid = OF_GRID.matcher(name).matches();
    if (!arguments.flag(USE_ROTARY, dinov3() || ofGrid)) {
      return;
    }
    String kind = arguments.text("rope_type", dinov3() ? "dinov3" : "cat");
    boolean halves = kind.equals("dinov3");
    if (!halves && !kind.equals("cat")) {
      throw arguments.wrong("rope_type", "cat or dinov3");
    }
    double temperature = (halves ? Kind.DINOV3 : Kind.CAT).base();
    if (arguments.real("rope_temperature", temperature) != temperature) {
      throw arguments.wrong("rope_temperature", Double.toString(temperature));
    }
    if (arguments.flag("rope_rotate_half", halves) != halves) {
      throw arguments.wrong("rope_rotate_half", halves + " with rope_type " + kind);
    }
    keys.put("rotary", kind);
    if (arguments.has("ref_feat_shape") && !halves) {
      List<Integer> grid = arguments.integers("ref_feat_shape");
      if (grid.size() != 2) {
        throw arguments.wrong("ref_feat_shape", "rows and columns of patches");
      }
      grid.forEach(keys.putArray("rotary_grid")::add);
    } else if (ofGrid) {
      keys.put("rotary_grid", PRETRAINING_GRID);
    }
  }

  private String pool(String pool) {
    if (!Set.of("token", "avg", "map").contains(pool)) {
      throw config.wrong("global_pool", "token, avg or map");
    }
    return pool;
  }

  private int[] image() {
    JsonNode size = arguments.node().get("img_size");
    if (size != null && size.isInt()) {
      return new int[] {size.intValue(), size.intValue()};
    }
    if (size != null && size.isArray() && size.size() == 2) {
      return new int[] {size.get(0).intValue(), size.get(1).intValue()};
    }
    List<Integer> input = pretrained.integers("input_size");
    if (input.size() != 3 || input.get(0) != 3) {
      throw pretrained.wrong("input_size", "3 channels, height and width");
    }
    return new int[] {input.get(1), input.get(2)};
  }

  private double epsilon(double implied) {
    if (!arguments.has("norm_layer")) {
      return implied;
    }
    Matcher norm = EPSILON.matcher(arguments.text("norm_layer"));
    if (!norm.matches()) {
      throw arguments.wrong("norm_layer", "LayerNorm");
    }
    return norm.group(1) == null ? 1e-5 : Double.parseDouble(norm.group(1));
  }

  private String activation() {
    String said = arguments.text("act_layer", "gelu");
    if (!arguments.has("act_layer")) {
      if (name.contains("_quickgelu_")) {
        return "quick_gelu";
      }
      return TANH.matcher(name).matches() ? "gelu_tanh" : "gelu";
    }
    // That of SwiGLU, which is refused as such.
    String known = said.equals("SiLU") || said.equals("silu") ? "gelu" : ACTIVATIONS.get(said);
    if (known == null) {
      throw arguments.wrong("act_layer", "gelu, quick_gelu or gelu_tanh");
    }
    return known;
  }

  private Preprocess preprocess(int image) {
    double crop = pretrained.real("crop_pct", 0.875);
    if (!(crop > 0 && crop <= 1)) {
      throw pretrained.wrong("crop_pct", "above 0, at most 1");
    }
    String mode = pretrained.text("crop_mode", "center");
    if (!mode.equals("center") && !mode.equals("squash")) {
      throw pretrained.wrong("crop_mode", "center or squash");
    }
    String filter = pretrained.text("interpolation", "bicubic");
    if (!filter.equals("bicubic") && !filter.equals("bilinear")) {
      throw pretrained.wrong("interpolation", "bicubic or bilinear");
    }
    Preprocess imagenet = Preprocess.imagenet(image, image);
    return new Preprocess(
        (int) Math.floor(image / crop),
        image,
        Interpolation.of(filter),
        CropMode.of(mode),
        pretrained.has("mean") ? pretrained.three("mean") : imagenet.mean(),
        pretrained.has("std") ? pretrained.three("std") : imagenet.std());
  }

  /** {@code label_names}, each with what {@code label_descriptions} says of it. */
  private List<String> classes() {
    JsonNode labels = config.node().path("label_names");
    JsonNode descriptions = config.node().path("label_descriptions");
    List<String> classes = new ArrayList<>();
    for (JsonNode label : labels) {
      if (!label.isTextual()) {
        throw config.wrong("label_names", "a list of texts");
      }
      classes.add(descriptions.path(label.textValue()).asText(label.textValue()));
    }
    return classes;
  }
}
