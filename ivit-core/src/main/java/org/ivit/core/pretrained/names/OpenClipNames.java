package org.ivit.core.pretrained.names;

import java.util.Set;
import org.ivit.core.tensor.Tensor;

/** The picture tower of OpenAI's CLIP and of open_clip, below {@code visual}. */
final class OpenClipNames implements Convention {
  private static final String CLASS = "class_embedding";
  private static final String POSITIONS = "positional_embedding";
  private static final String PROJECTION = "proj";

  private static final String[][] NAMES = {
    {"conv1.", "patch_embed.proj."},
    {"ln_pre.", "norm_pre."},
    {"ln_post.", "norm."},
    {"transformer.resblocks.", "blocks."},
    {"ln_1.", "norm1."},
    {"ln_2.", "norm2."},
    {"ls_1.gamma", "ls1.gamma"},
    {"ls_2.gamma", "ls2.gamma"},
    {"attn.in_proj_", "attn.qkv."},
    {"attn.out_proj.", "attn.proj."},
    {"mlp.c_fc.", "mlp.fc1."},
    {"mlp.c_proj.", "mlp.fc2."},
  };

  static boolean matches(Set<String> names) {
    return names.contains("conv1.weight")
        && names.contains(CLASS)
        && names.contains("transformer.resblocks.0.ln_1.weight");
  }

  @Override
  public String timm(String name) {
    return switch (name) {
      case CLASS -> "cls_token";
      case POSITIONS -> "pos_embed";
      case PROJECTION -> "head.weight";
      default -> Convention.replaced(name, NAMES);
    };
  }

  @Override
  public Tensor laid(String name, String file, Tensor tensor) {
    return switch (name) {
      case CLASS, POSITIONS -> Layouts.withDimensions(tensor, 3);
      case PROJECTION -> tensor.shape().length == 2 ? Layouts.permuted(tensor, 1, 0) : tensor;
      default -> tensor;
    };
  }
}
