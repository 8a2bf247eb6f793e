package org.ivit.core.pretrained;

import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.ivit.core.InputException;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.tensor.TensorFile;

/**
 * What a model computes that no part of a chain here does, found by the names and shapes of its
 * tensors and by what its configuration says. Such a model is refused, since without it its answers
 * would be others.
 */
final class Unsupported {
  static final String ROTARY = "rotary positions of another kind than DINOv3's and EVA-02's";
  static final String INNER_NORM = "a norm within attention";
  static final String COSINE = "cosine attention and computed positions of Swin v2";
  static final String TWO_POOLS = "a head on the class token and the mean of the patches";
  static final String SHARED_TABLE = "a table of relative positions that blocks share";

  /** By timm's name of a tensor. */
  private static final Map<Pattern, String> BY_NAME = new LinkedHashMap<>();

  static {
    put("(.*\\.)?(rope|rope_embed|rot_pos_embed)\\..*", ROTARY);
    put(".*\\.attn\\.[qk]_norm\\..*", "norms of queries and keys");
    put(".*\\.(attn_out_proj|mlp_out_proj)\\..*", "attention and MLP in parallel");
    put(".*\\.(attns|ffns)\\.\\d+\\..*", "attention and MLP in parallel");
    put(".*\\.attn\\.(logit_scale|cpb_mlp\\..*)", COSINE);
    put(".*\\.attn\\.lambda_[qk]\\d", "differential attention");
    put(".*\\.attn\\.(norm|inner_attn_ln)\\..*", INNER_NORM);
    put("(.*\\.)?rel_pos_bias\\..*", SHARED_TABLE);
    put("patch_embed\\.backbone\\..*", "a convolutional network before the patches");
    put("(layers|stages)\\..*\\.conv.*", "convolutions between blocks");
  }

  private final Set<String> missing = new LinkedHashSet<>();

  private static void put(String name, String what) {
    BY_NAME.put(Pattern.compile(name), what);
  }

  /**
   * @param what for people
   */
  void add(String what) {
    missing.add(what);
  }

  /**
   * Adds what names and shapes show.
   *
   * @param file under timm's names
   * @param placed whether something says which positions the model has, where no tensor does
   */
  void addAll(TensorFile file, boolean placed) {
    Map<String, Tensor> tensors = file.tensors();
    for (String name : tensors.keySet()) {
      BY_NAME.forEach(
          (pattern, what) -> {
            if (pattern.matcher(name).matches()) {
              missing.add(what);
            }
          });
      if (name.endsWith(".mlp.norm.weight") && !isGated(tensors, name)) {
        missing.add("a norm within an MLP that is not gated");
      }
      if (name.endsWith("norm1.weight") && !tensors.containsKey(name.replace("weight", "bias"))) {
        missing.add("norms without a bias (RMSNorm)");
      }
    }
    addEnds(tensors, placed);
  }

  private static boolean isGated(Map<String, Tensor> tensors, String norm) {
    Tensor fc1 = tensors.get(norm.replace("norm", "fc1"));
    Tensor fc2 = tensors.get(norm.replace("norm", "fc2"));
    return tensors.containsKey(norm.replace("norm", "fc1_g"))
        || (fc1 != null && fc2 != null && CanonicalWeights.isPacked(fc1, fc2));
  }

  private void addEnds(Map<String, Tensor> tensors, boolean placed) {
    Tensor head = tensors.get("head.weight");
    Tensor patches = tensors.get("patch_embed.proj.weight");
    boolean plain = tensors.keySet().stream().anyMatch(name -> name.startsWith("blocks."));
    if (plain && head != null && patches != null && columns(head) == 2 * rows(patches)) {
      missing.add(TWO_POOLS);
    }
    boolean positions =
        tensors.containsKey("pos_embed")
            || tensors.keySet().stream()
                .anyMatch(name -> name.endsWith("relative_position_bias_table"));
    if (plain && !positions && !placed && !missing.contains(SHARED_TABLE)) {
      missing.add("no positions that its files show");
    }
    if (!tensors.containsKey("norm.weight") && !tensors.containsKey("fc_norm.weight")) {
      missing.add("no norm at the end");
    }
  }

  private static long rows(Tensor tensor) {
    return tensor.shape().length == 0 ? 0 : tensor.shape()[0];
  }

  private static long columns(Tensor tensor) {
    return tensor.shape().length < 2 ? 0 : tensor.shape()[1];
  }

  /**
   * @param source names file or folder
   * @throws InputException naming all that is missing, if there is any
   */
  void refuse(String source) {
    if (!missing.isEmpty()) {
      throw new InputException(
          "%s: its model is not supported: it has %s"
              .formatted(source, String.join(", ", missing)));
    }
  }
}
