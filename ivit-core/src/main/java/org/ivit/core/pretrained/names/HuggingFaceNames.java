package org.ivit.core.pretrained.names;

import java.util.List;
import java.util.Set;

/**
 * Hugging Face's ViT, DeiT, Swin, MAE, BEiT and DINOv2, with the backbone's prefix where a head
 * stands beside it.
 */
final class HuggingFaceNames implements Convention {
  private static final List<String> PREFIXES =
      List.of("vit.", "deit.", "swin.", "beit.", "dinov2.", "dinov2_with_registers.");
  private static final String PATCHES = "embeddings.patch_embeddings.projection.weight";

  /** In this order; a longer text stands before one that it contains. */
  private static final String[][] NAMES = {
    {"embeddings.cls_token", "cls_token"},
    {"embeddings.distillation_token", "dist_token"},
    {"embeddings.register_tokens", "reg_token"},
    {"embeddings.position_embeddings", "pos_embed"},
    {"embeddings.patch_embeddings.projection.", "patch_embed.proj."},
    {"embeddings.norm.", "patch_embed.norm."},
    {"encoder.layers.", "layers."},
    {"encoder.layer.", "blocks."},
    {"relative_position_bias.relative_position_bias_table", "relative_position_bias_table"},
    {"attention.self.relative_position", "attn.relative_position"},
    {"attention.attention.", "attn."},
    {"attention.self.", "attn."},
    {"attention.output.dense.", "attn.proj."},
    {"intermediate.dense.", "mlp.fc1."},
    {"output.dense.", "mlp.fc2."},
    {"layernorm_before.", "norm1."},
    {"layernorm_after.", "norm2."},
    {"mlp.weights_in.", "mlp.fc1."},
    {"mlp.weights_out.", "mlp.fc2."},
    {"layer_scale1.lambda1", "ls1.gamma"},
    {"layer_scale2.lambda1", "ls2.gamma"},
    {"lambda_1", "gamma_1"},
    {"lambda_2", "gamma_2"},
    {"cls_classifier.", "head."},
    {"distillation_classifier.", "head_dist."},
    {"classifier.", "head."},
  };

  static boolean matches(Set<String> names) {
    return names.contains(PATCHES)
        || names.stream().anyMatch(name -> PREFIXES.stream().anyMatch(name::startsWith));
  }

  @Override
  public String timm(String name) {
    String prefix = PREFIXES.stream().filter(name::startsWith).findFirst().orElse("");
    String plain = name.substring(prefix.length());
    if (plain.startsWith("layernorm.")) {
      plain = "norm." + plain.substring("layernorm.".length());
    } else if (plain.startsWith("pooler.layernorm.")) {
      plain = "fc_norm." + plain.substring("pooler.layernorm.".length());
    }
    boolean unused =
        plain.startsWith("pooler.")
            || plain.equals("embeddings.mask_token")
            || plain.startsWith("decoder.");
    return unused ? null : Convention.replaced(plain, NAMES);
  }

  @Override
  public boolean classPositionAmongPatches() {
    return true;
  }
}
