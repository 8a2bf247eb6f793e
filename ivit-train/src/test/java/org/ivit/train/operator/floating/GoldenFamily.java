package org.ivit.train.operator.floating;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.tensor.TensorFile;
import org.ivit.core.testing.InlineDescription;
import org.ivit.core.testing.Shared;

/**
 * A folder of {@code golden/families} with timm's names: what it is, and its weights in the form
 * that the operators read, everything that is folded folded in float64.
 */
public final class GoldenFamily {
  /** What differs from an image of 32, patches of 8, 2 blocks of 32 channels, 2 heads, MLP 64. */
  private static final Map<String, String> DESCRIPTIONS =
      new TreeMap<>(
          Map.ofEntries(
              Map.entry("vit_headless", "'dim': 48, 'heads': 3, 'hidden': 72, 'classes': 0"),
              Map.entry("vit_headless_avg_fcnorm", "'classes': 0, 'pool': 'avg', 'fc_norm': true"),
              Map.entry("vit_headless_avg", "'heads': 4, 'classes': 0, 'pool': 'avg'"),
              Map.entry("deit3", "'positions': 'patches'"),
              Map.entry("dinov2", "'image': 42, 'patch': 14, 'classes': 0"),
              Map.entry(
                  "dinov2_reg4",
                  "'image': 42, 'patch': 14, 'classes': 0, 'registers': 4, 'positions': 'patches'"),
              Map.entry(
                  "clip_quickgelu",
                  "'dim': 48, 'heads': 3, 'hidden': 72, 'classes': 20, 'projection': true,"
                      + " 'pre_norm': true, 'epsilon': 1e-5, 'activation': 'quick_gelu'"),
              Map.entry(
                  "clip_laion",
                  "'classes': 20, 'projection': true, 'pre_norm': true, 'epsilon': 1e-5"),
              Map.entry(
                  "sbb_reg4_gap",
                  "'hidden': 80, 'class_token': false, 'registers': 4, 'positions': 'patches',"
                      + " 'pool': 'avg', 'fc_norm': true"),
              Map.entry(
                  "sbb_reg1_gap_posreg",
                  "'class_token': false, 'registers': 1, 'pool': 'avg', 'fc_norm': true"),
              Map.entry("siglip_map", "'class_token': false, 'classes': 0, 'pool': 'map'"),
              Map.entry(
                  "siglip_gap", "'heads': 4, 'class_token': false, 'classes': 0, 'pool': 'avg'"),
              Map.entry("flexivit", "'positions': 'patches'"),
              Map.entry(
                  "beit",
                  "'positions': 'none', 'relative_positions': true, 'pool': 'avg',"
                      + " 'fc_norm': true"),
              Map.entry("dinov2_swiglu", "'classes': 0, 'hidden': 56, 'mlp': 'swiglu'"),
              Map.entry(
                  "dinov3",
                  "'classes': 0, 'registers': 4, 'positions': 'none', 'epsilon': 1e-5,"
                      + " 'rotary': 'dinov3', 'pool': 'avg'"),
              Map.entry(
                  "dinov3_plus_qkvb",
                  "'heads': 4, 'hidden': 56, 'classes': 0, 'registers': 4, 'positions': 'none',"
                      + " 'epsilon': 1e-5, 'rotary': 'dinov3', 'mlp': 'swiglu'"),
              Map.entry(
                  "eva02",
                  "'hidden': 56, 'rotary': 'cat', 'rotary_grid': 3, 'mlp': 'swiglu_norm',"
                      + " 'pool': 'avg', 'fc_norm': true")));

  private final String name;
  private final TensorFile file;

  /**
   * @param name folder; the test is skipped where it is missing
   */
  public GoldenFamily(String name) {
    this.name = name;
    this.file = tensors("weights");
  }

  /** All folders whose weights have timm's names. */
  static Iterable<String> names() {
    return DESCRIPTIONS.keySet();
  }

  /** A file of the folder. */
  TensorFile tensors(String of) {
    return Shared.tensors("golden/families/" + name + "/" + of + ".safetensors");
  }

  /**
   * What the network is, or something like it.
   *
   * @param changes keys of its description, as {@link InlineDescription} takes them
   */
  public Architecture architecture(String... changes) {
    String base =
        "'kind': 'vit', 'image': 32, 'patch': 8, 'dim': 32, 'depth': 2, 'heads': 2,"
            + " 'hidden': 64, 'classes': 10";
    List<String> all = new ArrayList<>(List.of(DESCRIPTIONS.get(name)));
    all.addAll(List.of(changes));
    return InlineDescription.parse(base, all.toArray(String[]::new));
  }

  /** The weights, everything that is folded folded in float64. */
  public Map<String, double[]> weights() {
    Map<String, double[]> weights = new HashMap<>();
    file.tensors().forEach((key, tensor) -> weights.put(key, tensor.doubles()));
    int dim = weights.get("patch_embed.proj.weight").length / patchInputs();
    weights.putIfAbsent("patch_embed.proj.bias", new double[dim]);
    for (int i = 0; weights.containsKey("blocks." + i + ".norm1.weight"); i++) {
      foldBlock(weights, "blocks." + i + ".", dim);
    }
    if (weights.containsKey("attn_pool.latent")) {
      foldPool(weights, dim, architecture().blocks().get(0).heads());
    }
    return weights;
  }

  private int patchInputs() {
    Tensor kernel = file.get("patch_embed.proj.weight");
    return kernel.size() / (int) kernel.shape()[0];
  }

  private void foldBlock(Map<String, double[]> weights, String block, int dim) {
    joinQueriesKeysValues(weights, block + "attn.");
    splitGate(weights, block + "mlp.");
    String bias = block + "attn.qkv.bias";
    weights.putIfAbsent(bias, new double[3 * dim]);
    if (weights.containsKey(block + "attn.q_bias")) {
      System.arraycopy(weights.get(block + "attn.q_bias"), 0, weights.get(bias), 0, dim);
      System.arraycopy(weights.get(block + "attn.v_bias"), 0, weights.get(bias), 2 * dim, dim);
    }
    scaleRows(weights, block + "attn.proj", weights.get(block + "ls1.gamma"));
    scaleRows(weights, block + "mlp.fc2", weights.get(block + "ls2.gamma"));
    scaleRows(weights, block + "attn.proj", weights.get(block + "gamma_1"));
    scaleRows(weights, block + "mlp.fc2", weights.get(block + "gamma_2"));
  }

  /** EVA-02 has them apart, its keys without bias. */
  private static void joinQueriesKeysValues(Map<String, double[]> weights, String attention) {
    double[] queries = weights.get(attention + "q_proj.weight");
    if (queries == null) {
      return;
    }
    double[] all = new double[3 * queries.length];
    int dim = weights.get(attention + "q_proj.bias").length;
    double[] biases = new double[3 * dim];
    for (int i = 0; i < 3; i++) {
      String part = attention + "qkv".charAt(i) + "_proj";
      System.arraycopy(weights.get(part + ".weight"), 0, all, i * queries.length, queries.length);
      if (weights.containsKey(part + ".bias")) {
        System.arraycopy(weights.get(part + ".bias"), 0, biases, i * dim, dim);
      }
    }
    weights.put(attention + "qkv.weight", all);
    weights.put(attention + "qkv.bias", biases);
  }

  /** Packed SwiGLU has the gate's rows first. */
  private void splitGate(Map<String, double[]> weights, String mlp) {
    if (!architecture().blocks().get(0).gated() || weights.containsKey(mlp + "fc1_g.weight")) {
      return;
    }
    for (String part : new String[] {".weight", ".bias"}) {
      double[] packed = weights.get(mlp + "fc1" + part);
      int half = packed.length / 2;
      weights.put(mlp + "fc1_g" + part, Arrays.copyOf(packed, half));
      weights.put(mlp + "fc1_x" + part, Arrays.copyOfRange(packed, half, packed.length));
    }
  }

  private static void scaleRows(Map<String, double[]> weights, String linear, double[] gamma) {
    if (gamma == null) {
      return;
    }
    for (String part : new String[] {".weight", ".bias"}) {
      double[] values = weights.get(linear + part);
      for (int i = 0; i < values.length; i++) {
        values[i] *= gamma[i / (values.length / gamma.length)];
      }
    }
  }

  private static void foldPool(Map<String, double[]> weights, int dim, int heads) {
    double[] query = weights.get("attn_pool.q.bias").clone();
    for (int i = 0; i < dim * dim; i++) {
      query[i / dim] +=
          weights.get("attn_pool.q.weight")[i] * weights.get("attn_pool.latent")[i % dim];
    }
    double[] kv = weights.get("attn_pool.kv.weight");
    double[] kvBias = weights.get("attn_pool.kv.bias");
    double[] scores = new double[heads * dim];
    double[] bias = new double[heads];
    int width = dim / heads;
    for (int k = 0; k < dim; k++) {
      double factor = query[k] / Math.sqrt(width);
      bias[k / width] += factor * kvBias[k];
      for (int c = 0; c < dim; c++) {
        scores[k / width * dim + c] += factor * kv[k * dim + c];
      }
    }
    weights.put("attn_pool.scores.weight", scores);
    weights.put("attn_pool.scores.bias", bias);
    weights.put("attn_pool.v.weight", Arrays.copyOfRange(kv, dim * dim, 2 * dim * dim));
    weights.put("attn_pool.v.bias", Arrays.copyOfRange(kvBias, dim, 2 * dim));
  }
}
