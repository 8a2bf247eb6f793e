package org.ivit.core.pretrained.names;

import java.util.Set;
import org.ivit.core.tensor.Tensor;

/** The picture tower of Hugging Face's CLIP and SigLIP, below {@code vision_model}. */
final class HuggingFaceTowerNames implements Convention {
  private static final String CLASS = "embeddings.class_embedding";
  private static final String POSITIONS = "embeddings.position_embedding.weight";

  /** The first norm is spelt so. */
  private static final String[][] NAMES = {
    {CLASS, "cls_token"},
    {POSITIONS, "pos_embed"},
    {"embeddings.patch_embedding.", "patch_embed.proj."},
    {"pre_layrnorm.", "norm_pre."},
    {"post_layernorm.", "norm."},
    {"encoder.layers.", "blocks."},
    {"layer_norm1.", "norm1."},
    {"layer_norm2.", "norm2."},
    {"self_attn.q_proj.", "attn.query."},
    {"self_attn.k_proj.", "attn.key."},
    {"self_attn.v_proj.", "attn.value."},
    {"self_attn.out_proj.", "attn.proj."},
    {"head.probe", "attn_pool.latent"},
    {"head.attention.in_proj_", "attn_pool.qkv."},
    {"head.attention.out_proj.", "attn_pool.proj."},
    {"head.layernorm.", "attn_pool.norm."},
    {"head.mlp.", "attn_pool.mlp."},
    {"visual_projection.", "head."},
  };

  static boolean matches(Set<String> names) {
    return names.contains("embeddings.patch_embedding.weight")
        && names.contains("encoder.layers.0.layer_norm1.weight");
  }

  @Override
  public String timm(String name) {
    return name.equals("embeddings.position_ids") ? null : Convention.replaced(name, NAMES);
  }

  @Override
  public Tensor laid(String name, String file, Tensor tensor) {
    boolean tokens = name.equals(CLASS) || name.equals(POSITIONS);
    return tokens ? Layouts.withDimensions(tensor, 3) : tensor;
  }
}
