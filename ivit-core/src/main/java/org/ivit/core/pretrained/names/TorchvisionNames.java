package org.ivit.core.pretrained.names;

import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** torchvision's ViT and Swin. */
final class TorchvisionNames implements Convention {
  private static final String[][] VIT = {
    {"class_token", "cls_token"},
    {"conv_proj.", "patch_embed.proj."},
    {"encoder.pos_embedding", "pos_embed"},
    {"encoder.layers.encoder_layer_", "blocks."},
    {"encoder.ln.", "norm."},
    {"ln_1.", "norm1."},
    {"ln_2.", "norm2."},
    {"self_attention.in_proj_", "attn.qkv."},
    {"self_attention.out_proj.", "attn.proj."},
    {"mlp.linear_1.", "mlp.fc1."},
    {"mlp.linear_2.", "mlp.fc2."},
    {"mlp.0.", "mlp.fc1."},
    {"mlp.3.", "mlp.fc2."},
    {"heads.head.", "head."},
    {"heads.0.", "head."},
  };

  private static final String[][] SWIN = {
    {"features.0.0.", "patch_embed.proj."},
    {"features.0.2.", "patch_embed.norm."},
    {"mlp.0.", "mlp.fc1."},
    {"mlp.3.", "mlp.fc2."},
  };

  /** Patches, a stage, a merging, a stage, …; a stage has its blocks by number. */
  private static final Pattern STAGE = Pattern.compile("features\\.(\\d{1,2})\\.(.*)");

  private final boolean swin;

  private TorchvisionNames(boolean swin) {
    this.swin = swin;
  }

  /** Null where the names are of another source. */
  static TorchvisionNames of(Set<String> names) {
    if (names.contains("conv_proj.weight") && names.contains("encoder.pos_embedding")) {
      return new TorchvisionNames(false);
    }
    boolean swin =
        names.contains("features.0.0.weight") && names.contains("features.1.0.norm1.weight");
    return swin ? new TorchvisionNames(true) : null;
  }

  @Override
  public String timm(String name) {
    if (!swin) {
      return Convention.replaced(name, VIT);
    }
    String renamed = Convention.replaced(name, SWIN);
    Matcher stage = STAGE.matcher(renamed);
    if (!stage.matches()) {
      return renamed;
    }
    int place = Integer.parseInt(stage.group(1));
    String prefix = "layers." + (place - 1) / 2;
    return place % 2 == 1
        ? prefix + ".blocks." + stage.group(2)
        : prefix + ".downsample." + stage.group(2);
  }
}
