package org.ivit.core.family;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.ivit.core.Size;
import org.ivit.core.image.CropMode;
import org.ivit.core.image.Preprocess;

/**
 * A model that has a name here. Each is a line of the table below, the one place to add another.
 *
 * <p>A line has the timm name; {@code image}, {@code patch}, {@code dim}, {@code depth}, {@code
 * heads}, {@code hidden} and {@code classes} of a {@code vit}, or of a {@code swin} {@code window}
 * instead of {@code hidden} and lists of {@code depth} and {@code heads}; mean and deviation of
 * pixels ({@code half}, {@code imagenet} or {@code clip}) and the crop that its weights are
 * evaluated at, or {@code squash} where both sides are resized to the whole; then other keys of an
 * inline description. A name with a tag is for weights that differ from the name without.
 *
 * <p>Left out are models that no chain of parts computes, such as Swin v2, and DINOv3's largest, of
 * 7 billion parameters.
 *
 * @param description inline
 * @param pixels mean and deviation
 * @param crop part of the shorter side that is seen, at the model's own size
 * @param mode whether proportions are kept
 */
record RegisteredModel(ObjectNode description, Pixels pixels, double crop, CropMode mode) {
  private static final String TABLE =
      """
      vit_tiny_patch16_224                   vit 224 16 192 12 3 768 1000 half 0.9
      vit_small_patch16_224                  vit 224 16 384 12 6 1536 1000 half 0.9
      vit_base_patch16_224                   vit 224 16 768 12 12 3072 1000 half 0.9
      vit_large_patch16_224                  vit 224 16 1024 24 16 4096 1000 half 0.9
      deit_tiny_patch16_224                  vit 224 16 192 12 3 768 1000 imagenet 0.9
      deit_small_patch16_224                 vit 224 16 384 12 6 1536 1000 imagenet 0.9
      deit_base_patch16_224                  vit 224 16 768 12 12 3072 1000 imagenet 0.9
      deit_tiny_distilled_patch16_224        vit 224 16 192 12 3 768 1000 imagenet 0.9 distilled=true
      deit_small_distilled_patch16_224       vit 224 16 384 12 6 1536 1000 imagenet 0.9 distilled=true
      deit_base_distilled_patch16_224        vit 224 16 768 12 12 3072 1000 imagenet 0.9 distilled=true
      swin_tiny_patch4_window7_224           swin 224 4 96 2,2,6,2 3,6,12,24 7 1000 imagenet 0.9
      swin_small_patch4_window7_224          swin 224 4 96 2,2,18,2 3,6,12,24 7 1000 imagenet 0.9
      swin_base_patch4_window7_224           swin 224 4 128 2,2,18,2 4,8,16,32 7 1000 imagenet 0.9
      vit_small_patch16_224.dino             vit 224 16 384 12 6 1536 0 imagenet 0.9
      vit_base_patch16_224.dino              vit 224 16 768 12 12 3072 0 imagenet 0.9
      vit_base_patch16_224.mae               vit 224 16 768 12 12 3072 0 imagenet 0.9
      vit_large_patch16_224.mae              vit 224 16 1024 24 16 4096 0 imagenet 0.9
      deit3_small_patch16_224                vit 224 16 384 12 6 1536 1000 imagenet 0.9 positions=patches
      deit3_medium_patch16_224               vit 224 16 512 12 8 2048 1000 imagenet 0.9 positions=patches
      deit3_base_patch16_224                 vit 224 16 768 12 12 3072 1000 imagenet 0.9 positions=patches
      deit3_large_patch16_224                vit 224 16 1024 24 16 4096 1000 imagenet 0.9 positions=patches
      deit3_huge_patch14_224                 vit 224 14 1280 32 16 5120 1000 imagenet 0.9 positions=patches
      deit3_small_patch16_384                vit 384 16 384 12 6 1536 1000 imagenet 1 positions=patches
      deit3_base_patch16_384                 vit 384 16 768 12 12 3072 1000 imagenet 1 positions=patches
      deit3_large_patch16_384                vit 384 16 1024 24 16 4096 1000 imagenet 1 positions=patches
      vit_small_patch14_dinov2               vit 518 14 384 12 6 1536 0 imagenet 1
      vit_base_patch14_dinov2                vit 518 14 768 12 12 3072 0 imagenet 1
      vit_large_patch14_dinov2               vit 518 14 1024 24 16 4096 0 imagenet 1
      vit_small_patch14_reg4_dinov2          vit 518 14 384 12 6 1536 0 imagenet 1 registers=4 positions=patches
      vit_base_patch14_reg4_dinov2           vit 518 14 768 12 12 3072 0 imagenet 1 registers=4 positions=patches
      vit_large_patch14_reg4_dinov2          vit 518 14 1024 24 16 4096 0 imagenet 1 registers=4 positions=patches
      vit_giant_patch14_dinov2               vit 518 14 1536 40 24 4096 0 imagenet 1 mlp=swiglu
      vit_giant_patch14_reg4_dinov2          vit 518 14 1536 40 24 4096 0 imagenet 1 registers=4 positions=patches mlp=swiglu
      vit_base_patch32_clip_quickgelu_224    vit 224 32 768 12 12 3072 512 clip 0.9 epsilon=1e-5 pre_norm=true activation=quick_gelu projection=true
      vit_base_patch16_clip_quickgelu_224    vit 224 16 768 12 12 3072 512 clip 0.9 epsilon=1e-5 pre_norm=true activation=quick_gelu projection=true
      vit_large_patch14_clip_quickgelu_224   vit 224 14 1024 24 16 4096 768 clip 0.9 epsilon=1e-5 pre_norm=true activation=quick_gelu projection=true
      vit_large_patch14_clip_quickgelu_336   vit 336 14 1024 24 16 4096 768 clip 1 epsilon=1e-5 pre_norm=true activation=quick_gelu projection=true
      vit_base_patch32_clip_224              vit 224 32 768 12 12 3072 512 clip 1 epsilon=1e-5 pre_norm=true projection=true
      vit_base_patch16_clip_224              vit 224 16 768 12 12 3072 512 clip 1 epsilon=1e-5 pre_norm=true projection=true
      vit_large_patch14_clip_224             vit 224 14 1024 24 16 4096 768 clip 1 epsilon=1e-5 pre_norm=true projection=true
      vit_wee_patch16_reg1_gap_256           vit 256 16 256 14 4 1280 1000 half 0.95 class_token=false registers=1 positions=patches pool=avg fc_norm=true
      vit_little_patch16_reg1_gap_256        vit 256 16 320 14 5 1792 1000 half 0.95 class_token=false registers=1 positions=patches pool=avg fc_norm=true
      vit_little_patch16_reg4_gap_256        vit 256 16 320 14 5 1792 1000 half 0.95 class_token=false registers=4 positions=patches pool=avg fc_norm=true
      vit_medium_patch16_reg1_gap_256        vit 256 16 512 12 8 2048 1000 half 0.95 class_token=false registers=1 positions=patches pool=avg fc_norm=true
      vit_medium_patch16_reg4_gap_256        vit 256 16 512 12 8 2048 1000 half 0.95 class_token=false registers=4 positions=patches pool=avg fc_norm=true
      vit_mediumd_patch16_reg4_gap_256       vit 256 16 512 20 8 2048 1000 half 0.95 class_token=false registers=4 positions=patches pool=avg fc_norm=true
      vit_betwixt_patch16_reg1_gap_256       vit 256 16 640 12 10 2560 1000 half 0.95 class_token=false registers=1 positions=patches pool=avg fc_norm=true
      vit_betwixt_patch16_reg4_gap_256       vit 256 16 640 12 10 2560 1000 half 0.95 class_token=false registers=4 positions=patches pool=avg fc_norm=true
      vit_so150m2_patch16_reg1_gap_256       vit 256 16 832 21 13 2176 1000 half 1 class_token=false registers=1 pool=avg fc_norm=true
      flexivit_small                         vit 240 16 384 12 6 1536 1000 half 0.95 positions=patches
      flexivit_base                          vit 240 16 768 12 12 3072 1000 half 0.95 positions=patches
      flexivit_large                         vit 240 16 1024 24 16 4096 1000 half 0.95 positions=patches
      vit_base_patch16_siglip_224            vit 224 16 768 12 12 3072 0 half 0.9 class_token=false pool=map
      vit_base_patch16_siglip_256            vit 256 16 768 12 12 3072 0 half 0.9 class_token=false pool=map
      vit_base_patch16_siglip_384            vit 384 16 768 12 12 3072 0 half 0.9 class_token=false pool=map
      vit_base_patch16_siglip_512            vit 512 16 768 12 12 3072 0 half 0.9 class_token=false pool=map
      vit_large_patch16_siglip_256           vit 256 16 1024 24 16 4096 0 half 0.9 class_token=false pool=map
      vit_large_patch16_siglip_384           vit 384 16 1024 24 16 4096 0 half 0.9 class_token=false pool=map
      vit_so400m_patch14_siglip_224          vit 224 14 1152 27 16 4304 0 half 0.9 class_token=false pool=map
      vit_base_patch16_siglip_gap_224        vit 224 16 768 12 12 3072 0 half 0.9 class_token=false pool=avg
      vit_base_patch16_siglip_gap_256        vit 256 16 768 12 12 3072 0 half 0.9 class_token=false pool=avg
      vit_base_patch16_siglip_gap_384        vit 384 16 768 12 12 3072 0 half 0.9 class_token=false pool=avg
      vit_base_patch16_siglip_gap_512        vit 512 16 768 12 12 3072 0 half 0.9 class_token=false pool=avg
      vit_large_patch16_siglip_gap_256       vit 256 16 1024 24 16 4096 0 half 0.9 class_token=false pool=avg
      vit_large_patch16_siglip_gap_384       vit 384 16 1024 24 16 4096 0 half 0.9 class_token=false pool=avg
      vit_so400m_patch14_siglip_gap_224      vit 224 14 1152 27 16 4304 0 half 0.9 class_token=false pool=avg
      beit_base_patch16_224                  vit 224 16 768 12 12 3072 1000 half 0.9 positions=none relative_positions=true pool=avg fc_norm=true
      beit_large_patch16_224                 vit 224 16 1024 24 16 4096 1000 half 0.9 positions=none relative_positions=true pool=avg fc_norm=true
      beitv2_base_patch16_224                vit 224 16 768 12 12 3072 1000 imagenet 0.9 positions=none relative_positions=true pool=avg fc_norm=true
      beitv2_large_patch16_224               vit 224 16 1024 24 16 4096 1000 imagenet 0.9 positions=none relative_positions=true pool=avg fc_norm=true
      vit_small_patch16_dinov3               vit 256 16 384 12 6 1536 0 imagenet 1 registers=4 positions=none rotary=dinov3 pool=avg epsilon=1e-5
      vit_small_patch16_dinov3_qkvb          vit 256 16 384 12 6 1536 0 imagenet 1 registers=4 positions=none rotary=dinov3 pool=avg epsilon=1e-5
      vit_small_plus_patch16_dinov3          vit 256 16 384 12 6 1536 0 imagenet 1 registers=4 positions=none rotary=dinov3 pool=avg epsilon=1e-5 mlp=swiglu
      vit_small_plus_patch16_dinov3_qkvb     vit 256 16 384 12 6 1536 0 imagenet 1 registers=4 positions=none rotary=dinov3 pool=avg epsilon=1e-5 mlp=swiglu
      vit_base_patch16_dinov3                vit 256 16 768 12 12 3072 0 imagenet 1 registers=4 positions=none rotary=dinov3 pool=avg epsilon=1e-5
      vit_base_patch16_dinov3_qkvb           vit 256 16 768 12 12 3072 0 imagenet 1 registers=4 positions=none rotary=dinov3 pool=avg epsilon=1e-5
      vit_large_patch16_dinov3               vit 256 16 1024 24 16 4096 0 imagenet 1 registers=4 positions=none rotary=dinov3 pool=avg epsilon=1e-5
      vit_large_patch16_dinov3_qkvb          vit 256 16 1024 24 16 4096 0 imagenet 1 registers=4 positions=none rotary=dinov3 pool=avg epsilon=1e-5
      vit_huge_plus_patch16_dinov3           vit 256 16 1280 32 20 5120 0 imagenet 1 registers=4 positions=none rotary=dinov3 pool=avg epsilon=1e-5 mlp=swiglu
      vit_huge_plus_patch16_dinov3_qkvb      vit 256 16 1280 32 20 5120 0 imagenet 1 registers=4 positions=none rotary=dinov3 pool=avg epsilon=1e-5 mlp=swiglu
      eva02_tiny_patch14_224                 vit 224 14 192 12 3 512 0 clip 1 rotary=cat rotary_grid=16 pool=avg fc_norm=true mlp=swiglu
      eva02_small_patch14_224                vit 224 14 384 12 6 1024 0 clip 1 rotary=cat rotary_grid=16 pool=avg fc_norm=true mlp=swiglu
      eva02_base_patch14_224                 vit 224 14 768 12 12 2048 0 clip 1 rotary=cat rotary_grid=16 pool=avg fc_norm=true mlp=swiglu_norm
      eva02_large_patch14_224                vit 224 14 1024 24 16 2730 0 clip 1 rotary=cat rotary_grid=16 pool=avg fc_norm=true mlp=swiglu_norm
      eva02_tiny_patch14_336                 vit 336 14 192 12 3 512 1000 clip 1 rotary=cat rotary_grid=16 pool=avg fc_norm=true mlp=swiglu
      eva02_small_patch14_336                vit 336 14 384 12 6 1024 1000 clip 1 rotary=cat rotary_grid=16 pool=avg fc_norm=true mlp=swiglu
      eva02_base_patch14_448                 vit 448 14 768 12 12 2048 1000 clip squash rotary=cat rotary_grid=16 pool=avg fc_norm=true mlp=swiglu_norm
      eva02_large_patch14_448                vit 448 14 1024 24 16 2730 1000 clip squash rotary=cat rotary_grid=16 pool=avg fc_norm=true mlp=swiglu_norm
      vit_medium_patch16_rope_reg1_gap_256   vit 256 16 512 12 8 2048 1000 half 0.95 registers=1 class_token=false positions=none rotary=cat rotary_grid=16 pool=avg fc_norm=true
      vit_mediumd_patch16_rope_reg1_gap_256  vit 256 16 512 20 8 2048 1000 half 0.95 registers=1 class_token=false positions=none rotary=cat rotary_grid=16 pool=avg fc_norm=true
      vit_betwixt_patch16_rope_reg4_gap_256  vit 256 16 640 12 10 2560 1000 clip 0.95 registers=4 class_token=false positions=none rotary=cat rotary_grid=16 pool=avg fc_norm=true
      vit_base_patch16_rope_reg1_gap_256     vit 256 16 768 12 12 3072 1000 half 0.95 registers=1 class_token=false positions=none rotary=cat rotary_grid=16 pool=avg fc_norm=true
      """;

  private static final int COLUMNS = 11;
  private static final Map<String, RegisteredModel> ALL = read();

  /** Mean and deviation of pixels. */
  enum Pixels {
    HALF,
    IMAGENET,
    CLIP;

    /** The transform with them, bicubic. */
    Preprocess transform(Size resize, Size crop) {
      return switch (this) {
        case HALF -> Preprocess.half(resize, crop);
        case IMAGENET -> Preprocess.imagenet(resize, crop);
        case CLIP -> PretrainedPreprocess.clip(resize, crop);
      };
    }
  }

  /**
   * Finds a model.
   *
   * @param name with or without a tag
   * @return null where there is none
   */
  static RegisteredModel of(String name) {
    int tag = name.indexOf('.');
    RegisteredModel tagged = ALL.get(name);
    return tagged != null || tag < 0 ? tagged : ALL.get(name.substring(0, tag));
  }

  /** By name, in the order of the table; names with a tag among them. */
  static Map<String, RegisteredModel> all() {
    return ALL;
  }

  private static Map<String, RegisteredModel> read() {
    Map<String, RegisteredModel> all = new LinkedHashMap<>();
    TABLE
        .lines()
        .forEach(
            line -> {
              String[] words = line.split(" +", -1);
              all.put(words[0], read(words));
            });
    return Collections.unmodifiableMap(all);
  }

  private static RegisteredModel read(String[] words) {
    ObjectNode description = JsonNodeFactory.instance.objectNode();
    boolean swin = words[1].equals(Swin.KIND);
    description.put("kind", words[1]).put("name", words[0]);
    description.put("image", Integer.parseInt(words[2])).put("patch", Integer.parseInt(words[3]));
    description.put("dim", Integer.parseInt(words[4]));
    if (swin) {
      list(description.putArray("depths"), words[5]);
      list(description.putArray("heads"), words[6]);
    } else {
      description.put("depth", Integer.parseInt(words[5]));
      description.put("heads", Integer.parseInt(words[6]));
    }
    description.put(swin ? "window" : "hidden", Integer.parseInt(words[7]));
    description.put("classes", Integer.parseInt(words[8]));
    for (int i = COLUMNS; i < words.length; i++) {
      int at = words[i].indexOf('=');
      option(description, words[i].substring(0, at), words[i].substring(at + 1));
    }
    Pixels pixels = Pixels.valueOf(words[9].toUpperCase(Locale.ROOT));
    boolean squash = words[10].equals("squash");
    return new RegisteredModel(
        description,
        pixels,
        squash ? 1 : Double.parseDouble(words[10]),
        squash ? CropMode.SQUASH : CropMode.CENTER);
  }

  private static void list(ArrayNode list, String numbers) {
    for (String number : numbers.split(",", -1)) {
      list.add(Integer.parseInt(number));
    }
  }

  private static void option(ObjectNode description, String key, String value) {
    switch (key) {
      case "registers", "rotary_grid" -> description.put(key, Integer.parseInt(value));
      case "epsilon" -> description.put(key, Double.parseDouble(value));
      case "positions", "activation", "pool", "rotary", "mlp" -> description.put(key, value);
      default -> description.put(key, Boolean.parseBoolean(value));
    }
  }
}
