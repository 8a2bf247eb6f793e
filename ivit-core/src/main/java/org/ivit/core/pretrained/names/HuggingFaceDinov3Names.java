package org.ivit.core.pretrained.names;

import java.util.Set;

/** Hugging Face's DINOv3. */
final class HuggingFaceDinov3Names implements Convention {
  /** In this order; a longer text stands before one that it contains. */
  private static final String[][] NAMES = {
    {"embeddings.cls_token", "cls_token"},
    {"embeddings.register_tokens", "reg_token"},
    {"embeddings.patch_embeddings.", "patch_embed.proj."},
    {"layer.", "blocks."},
    {"attention.q_proj.", "attn.query."},
    {"attention.k_proj.", "attn.key."},
    {"attention.v_proj.", "attn.value."},
    {"attention.o_proj.", "attn.proj."},
    {"layer_scale1.lambda1", "gamma_1"},
    {"layer_scale2.lambda1", "gamma_2"},
    {"mlp.gate_proj.", "mlp.fc1_g."},
    {"mlp.down_proj.", "mlp.fc2."},
  };

  private final String first;

  private HuggingFaceDinov3Names(boolean gated) {
    this.first = gated ? "mlp.fc1_x." : "mlp.fc1.";
  }

  /** Null where the names are of another source. */
  static HuggingFaceDinov3Names of(Set<String> names) {
    boolean known =
        names.contains("embeddings.patch_embeddings.weight")
            && names.contains("layer.0.norm1.weight");
    return known
        ? new HuggingFaceDinov3Names(names.contains("layer.0.mlp.gate_proj.weight"))
        : null;
  }

  @Override
  public String timm(String name) {
    return name.equals("embeddings.mask_token")
        ? null
        : Convention.replaced(name, NAMES).replace("mlp.up_proj.", first);
  }
}
