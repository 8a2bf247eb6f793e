package org.ivit.core.pretrained;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import org.ivit.core.family.PretrainedPreprocess;
import org.ivit.core.image.CropMode;
import org.ivit.core.image.Interpolation;
import org.ivit.core.image.Preprocess;

/** What {@code open_clip_config.json} says of its picture tower. */
final class OpenClipConfig {
  static final String FILE = "open_clip_config.json";

  private static final String ACTIVATION = "act_kwargs";

  /**
   * Keys of the tower that are read, that shapes show, or that change nothing of a forward pass.
   */
  private static final Set<String> KEYS =
      Set.of(
          "act_kwargs",
          "head_width",
          "image_size",
          "layers",
          "ls_init_value",
          "mlp_ratio",
          "norm_kwargs",
          "patch_dropout",
          "patch_size",
          "pool_type",
          "timm_drop",
          "timm_drop_path",
          "timm_model_name",
          "timm_model_pretrained",
          "timm_pool",
          "timm_proj",
          "width");

  private final JsonFile model;
  private final JsonFile vision;
  private final JsonFile pictures;
  private final ObjectNode keys = JsonNodeFactory.instance.objectNode();

  private OpenClipConfig(JsonFile config) {
    this.model = config.object("model_cfg");
    this.vision = model.object("vision_cfg");
    this.pictures =
        config.has("preprocess_cfg")
            ? config.object("preprocess_cfg")
            : new JsonFile(config.file(), JsonNodeFactory.instance.objectNode());
  }

  /**
   * Reads and checks what the file says.
   *
   * @param names of all tensors of the model, under those of the file
   * @throws org.ivit.core.InputException naming the key of what is of a wrong type, or asks for
   *     what is not known
   */
  static ModelClaims read(JsonFile config, Set<String> names) {
    return new OpenClipConfig(config).claims(names);
  }

  private ModelClaims claims(Set<String> names) {
    for (Iterator<String> all = vision.node().fieldNames(); all.hasNext(); ) {
      String key = all.next();
      if (!KEYS.contains(key)) {
        throw vision.wrong(key, "no such key: what it does to the model is not known");
      }
    }
    String timm = vision.text("timm_model_name", "");
    keys.put("image", vision.side("image_size"));
    keys.put("name", timm.isEmpty() ? "open_clip" : timm);
    if (timm.isEmpty()) {
      own();
      keys.put("projection", true);
    } else {
      tower(timm, names);
    }
    return new ModelClaims(keys, this::preprocess, List.of());
  }

  private void own() {
    if (!vision.text("pool_type", "tok").equals("tok")) {
      throw vision.wrong("pool_type", "tok");
    }
    int width = vision.integer("width", 768);
    int head = vision.integer("head_width", 64);
    if (head < 1 || width % head != 0) {
      throw vision.wrong("head_width", "a divisor of the width, " + width);
    }
    keys.put("dim", width);
    keys.put("heads", width / head);
    keys.put("depth", vision.integer("layers", 12));
    keys.put("hidden", (int) (width * vision.real("mlp_ratio", 4)));
    keys.put("patch", vision.integer("patch_size", 16));
    keys.put("classes", model.integer("embed_dim"));
    JsonNode norm = vision.node().path("norm_kwargs").path("eps");
    keys.put("epsilon", norm.isNumber() ? norm.doubleValue() : 1e-5);
    keys.put("activation", activation());
  }

  private String activation() {
    boolean tanh = vision.node().path(ACTIVATION).path("approximate").asText().equals("tanh");
    if (vision.has(ACTIVATION) && !tanh) {
      throw vision.wrong(ACTIVATION, "approximate tanh");
    }
    if (model.flag("quick_gelu", false)) {
      return "quick_gelu";
    }
    return tanh ? "gelu_tanh" : "gelu";
  }

  /** A tower of timm, whose name implies the rest. */
  private void tower(String timm, Set<String> names) {
    if (names.stream().anyMatch(name -> name.startsWith("visual.head."))) {
      throw vision.wrong("timm_proj", "none: a projection beside a tower of timm is not read");
    }
    JsonFile named =
        new JsonFile(
            vision.file(),
            JsonNodeFactory.instance
                .objectNode()
                .put(TimmConfig.NAME, timm)
                .put("global_pool", vision.text("timm_pool", ""))
                .set("input_size", input()));
    Unsupported missing = new Unsupported();
    ObjectNode implied = TimmConfig.read(named, false, missing).keys();
    missing.refuse(vision.file().toString());
    keys.setAll(implied);
  }

  private JsonNode input() {
    int side = vision.side("image_size");
    return JsonNodeFactory.instance.arrayNode().add(3).add(side).add(side);
  }

  private Preprocess preprocess(int image) {
    String mode = pictures.text("resize_mode", "shortest");
    if (!mode.equals("shortest") && !mode.equals("squash")) {
      throw pictures.wrong("resize_mode", "shortest or squash");
    }
    String filter = pictures.text("interpolation", "bicubic");
    if (!filter.equals("bicubic") && !filter.equals("bilinear")) {
      throw pictures.wrong("interpolation", "bicubic or bilinear");
    }
    Preprocess clip = PretrainedPreprocess.clip(image, image);
    return new Preprocess(
        image,
        image,
        Interpolation.of(filter),
        mode.equals("squash") ? CropMode.SQUASH : CropMode.CENTER,
        pictures.has("mean") ? pictures.three("mean") : clip.mean(),
        pictures.has("std") ? pictures.three("std") : clip.std());
  }
}
