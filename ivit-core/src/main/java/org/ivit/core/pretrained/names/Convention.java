package org.ivit.core.pretrained.names;

import org.ivit.core.tensor.Tensor;

/** How one source names its tensors and lays them out. */
interface Convention {
  /**
   * What timm calls a tensor. Query, key and value stay apart where the source has them so, as
   * {@code attn.query}, {@code attn.key} and {@code attn.value}, of an attention pool under {@code
   * attn_pool}; one matrix of all three of a pool is {@code attn_pool.qkv}.
   *
   * @param name in the source
   * @return null for a tensor that no forward pass of pictures needs
   */
  String timm(String name);

  /**
   * A tensor in the layout of timm.
   *
   * @param name in the source
   * @param file for messages
   */
  default Tensor laid(String name, String file, Tensor tensor) {
    return tensor;
  }

  /** Whether positions begin with one of the class token where there are registers. */
  default boolean classPositionAmongPatches() {
    return false;
  }

  /**
   * Names of SwiGLU's products in the releases of DINOv2, DINOv3 and EVA-02: gate and value in one
   * or apart, and the last.
   */
  static String gated(String name) {
    return replaced(
        name,
        new String[][] {
          {".mlp.w12.", ".mlp.fc1."},
          {".mlp.w1.", ".mlp.fc1_g."},
          {".mlp.w2.", ".mlp.fc1_x."},
          {".mlp.w3.", ".mlp.fc2."},
        });
  }

  /** Replaces each first text by the second, in this order. */
  static String replaced(String name, String[][] pairs) {
    String replaced = name;
    for (String[] pair : pairs) {
      replaced = replaced.replace(pair[0], pair[1]);
    }
    return replaced;
  }
}
