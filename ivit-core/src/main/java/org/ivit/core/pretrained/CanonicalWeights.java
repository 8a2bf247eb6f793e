package org.ivit.core.pretrained;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Head;
import org.ivit.core.tensor.DType;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.tensor.TensorFile;

/**
 * Reduces the parameters of timm's models to those that the parts of a chain have:
 *
 * <ul>
 *   <li>LayerScale's γ ({@code ls1.gamma}, {@code gamma_1}, …) is multiplied into rows and bias of
 *       {@code attn.proj} and {@code mlp.fc2}, in float32;
 *   <li>{@code q_bias} and {@code v_bias} become {@code qkv.bias}, zeros for the keys;
 *   <li>{@code qkv.bias_mask} of DINOv3's release is multiplied into {@code qkv.bias};
 *   <li>gate and value of SwiGLU in one {@code mlp.fc1}, of twice the rows that {@code mlp.fc2} has
 *       columns, become {@code mlp.fc1_g}, its first half, and {@code mlp.fc1_x};
 *   <li>a bias that the source lacks is zeros: of {@code qkv} where no block has one, of the patch
 *       projection and {@code head} in CLIP;
 *   <li>one {@code head} on the class token and the mean of the patches, side by side, becomes two,
 *       {@code head} and {@code head_mean}, of twice its numbers, since their mean is the answer;
 *   <li>the attention pool's query, a constant, is multiplied into its keys: {@code
 *       attn_pool.scores}, [heads][dim], and {@code attn_pool.v} remain.
 * </ul>
 */
final class CanonicalWeights {
  private static final String PATCHES = "patch_embed.proj";
  private static final String HEAD = Head.CLASSIFIER;
  private static final String MEAN_HEAD = Head.MEAN_CLASSIFIER;

  /** CLIP's norm before the blocks, which comes with projections that have no bias. */
  private static final String PRE_NORM = "norm_pre.weight";

  private static final String POOL = "attn_pool.";
  private static final String QKV = "attn.qkv";
  private static final String MASK = ".bias_mask";
  private static final String FC1 = "mlp.fc1";
  private static final String[] GATED = {"mlp.fc1_g", "mlp.fc1_x"};
  private static final String WEIGHT = ".weight";
  private static final String BIAS = ".bias";
  private static final String[] ATTENTION_SCALES = {"ls1.gamma", "gamma_1"};
  private static final String[] MLP_SCALES = {"ls2.gamma", "gamma_2"};

  private final Map<String, Tensor> tensors;
  private final String source;

  private CanonicalWeights(TensorFile file) {
    this.tensors = new LinkedHashMap<>(file.tensors());
    this.source = file.source();
  }

  /**
   * @param file parameters under timm's names; names that are not known stay
   * @param heads of the attention pool; 0 where there is none
   * @param tokenAndMean whether the classifier is of the class token and the mean of the patches
   * @return the parameters in canonical form; those that it does not change are views of the same
   *     memory
   * @throws InputException naming a tensor whose shape does not fit those that it is joined with
   */
  static TensorFile of(TensorFile file, int heads, boolean tokenAndMean) {
    CanonicalWeights weights = new CanonicalWeights(file);
    Set<String> blocks = blocks(file.tensors().keySet());
    weights.requireScalesOfAll(blocks);
    boolean biased = isBiased(file.tensors().keySet());
    for (String block : blocks) {
      weights.fold(block + "attn.proj", block, ATTENTION_SCALES);
      weights.fold(block + "mlp.fc2", block, MLP_SCALES);
      weights.joinBiases(block + "attn.");
      weights.mask(block + QKV);
      weights.splitGate(block);
      if (!biased) {
        weights.addBias(block + QKV);
      }
    }
    if (file.tensors().containsKey(PRE_NORM)) {
      weights.addBias(PATCHES);
      weights.addBias(HEAD);
    }
    if (tokenAndMean) {
      weights.splitHead();
    }
    weights.foldPool(heads);
    return new TensorFile(weights.tensors, file.metadata(), file.source());
  }

  /**
   * The names of {@link #of}, before any tensor is read.
   *
   * @param timm names of all parameters
   * @param gated whether {@code mlp.fc1} holds gate and value, which its shape says
   * @param tokenAndMean as of {@link #of}
   */
  static Set<String> names(Set<String> timm, boolean gated, boolean tokenAndMean) {
    Set<String> names = new LinkedHashSet<>(timm);
    boolean biased = isBiased(timm);
    for (String block : blocks(timm)) {
      for (String scale : ATTENTION_SCALES) {
        names.remove(block + scale);
      }
      for (String scale : MLP_SCALES) {
        names.remove(block + scale);
      }
      boolean apart = names.removeAll(Set.of(block + "attn.q_bias", block + "attn.v_bias"));
      if (timm.contains(block + QKV + WEIGHT) && (apart || !biased)) {
        names.add(block + QKV + BIAS);
      }
      names.remove(block + QKV + MASK);
      for (String end : gated ? new String[] {WEIGHT, BIAS} : new String[0]) {
        if (names.remove(block + FC1 + end)) {
          names.add(block + GATED[0] + end);
          names.add(block + GATED[1] + end);
        }
      }
    }
    for (String linear : new String[] {PATCHES, HEAD}) {
      if (timm.contains(PRE_NORM) && timm.contains(linear + WEIGHT)) {
        names.add(linear + BIAS);
      }
    }
    if (tokenAndMean && timm.contains(HEAD + WEIGHT)) {
      names.add(MEAN_HEAD + WEIGHT);
      names.add(MEAN_HEAD + BIAS);
    }
    boolean apart = timm.contains(POOL + "q.weight") && timm.contains(POOL + "kv.weight");
    if (timm.contains(POOL + "latent") && (apart || timm.contains(POOL + "qkv.weight"))) {
      for (String linear : new String[] {"q", "kv", "qkv"}) {
        names.remove(POOL + linear + WEIGHT);
        names.remove(POOL + linear + BIAS);
      }
      names.remove(POOL + "latent");
      for (String linear : new String[] {"scores", "v"}) {
        names.add(POOL + linear + WEIGHT);
        names.add(POOL + linear + BIAS);
      }
    }
    return names;
  }

  /** Prefixes of blocks, with the last dot: {@code blocks.0.}, {@code layers.0.blocks.0.}. */
  static Set<String> blocks(Set<String> names) {
    Set<String> blocks = new TreeSet<>();
    for (String name : names) {
      int at = name.startsWith("blocks.") ? 0 : name.indexOf(".blocks.") + 1;
      if (at > 0 || name.startsWith("blocks.")) {
        int dot = name.indexOf('.', at + "blocks.".length());
        if (dot > 0) {
          blocks.add(name.substring(0, dot + 1));
        }
      }
    }
    return blocks;
  }

  private static boolean isBiased(Set<String> names) {
    return names.stream()
        .anyMatch(name -> name.endsWith("attn.qkv.bias") || name.endsWith("attn.q_bias"));
  }

  /** The same with a distillation token that no head reads as a register. */
  static TensorFile withRegister(TensorFile file) {
    Map<String, Tensor> tensors = new LinkedHashMap<>(file.tensors());
    if (tensors.containsKey("head_dist.weight") || !tensors.containsKey("dist_token")) {
      return file;
    }
    tensors.put("reg_token", tensors.remove("dist_token"));
    return new TensorFile(tensors, file.metadata(), file.source());
  }

  /** The same with F16 and BF16 widened to F32. */
  static TensorFile widened(TensorFile file) {
    Map<String, Tensor> wide = new LinkedHashMap<>(file.tensors());
    wide.replaceAll(
        (name, tensor) ->
            tensor.dtype() == DType.F16 || tensor.dtype() == DType.BF16
                ? Tensor.of(tensor.floats(), tensor.shape())
                : tensor);
    return new TensorFile(wide, file.metadata(), file.source());
  }

  /** A block whose scale is missing would be taken for one that is not scaled. */
  private void requireScalesOfAll(Set<String> blocks) {
    for (String[] scales : new String[][] {ATTENTION_SCALES, MLP_SCALES}) {
      for (String scale : scales) {
        List<String> without =
            blocks.stream().filter(block -> !tensors.containsKey(block + scale)).toList();
        if (!without.isEmpty() && without.size() < blocks.size()) {
          throw new InputException(
              "%s: tensor %s%s: is missing, expected it in all blocks or none"
                  .formatted(source, without.get(0), scale));
        }
      }
    }
  }

  private void fold(String linear, String block, String[] scales) {
    for (String scale : scales) {
      Tensor gamma = tensors.remove(block + scale);
      if (gamma != null) {
        multiply(linear + WEIGHT, block + scale, gamma);
        if (tensors.containsKey(linear + BIAS)) {
          multiply(linear + BIAS, block + scale, gamma);
        }
      }
    }
  }

  private void multiply(String name, String scale, Tensor gamma) {
    Tensor tensor = tensors.get(name);
    if (tensor == null) {
      throw new InputException(
          "%s: tensor %s: is missing, but %s is there".formatted(source, name, scale));
    }
    long[] shape = tensor.shape();
    if (shape.length == 0 || gamma.size() == 0 || gamma.size() != shape[0]) {
      throw new InputException(
          "%s: tensor %s: is %s, expected as many numbers as %s, %s, has rows"
              .formatted(source, scale, gamma, name, tensor));
    }
    float[] factors = gamma.floats();
    float[] values = tensor.floats();
    int row = values.length / factors.length;
    for (int i = 0; i < values.length; i++) {
      values[i] *= factors[i / row];
    }
    tensors.put(name, Tensor.of(values, shape));
  }

  private void joinBiases(String attention) {
    Tensor query = tensors.get(attention + "q_bias");
    Tensor value = tensors.get(attention + "v_bias");
    String joined = attention + "qkv" + BIAS;
    if (query == null || value == null || tensors.containsKey(joined)) {
      return;
    }
    if (query.size() != value.size()) {
      throw new InputException(
          "%s: tensor %sv_bias: is %s, expected as many numbers as q_bias, %s"
              .formatted(source, attention, value, query));
    }
    float[] all = new float[3 * query.size()];
    System.arraycopy(query.floats(), 0, all, 0, query.size());
    System.arraycopy(value.floats(), 0, all, 2 * query.size(), query.size());
    tensors.remove(attention + "q_bias");
    tensors.remove(attention + "v_bias");
    tensors.put(joined, Tensor.of(all, all.length));
  }

  private void mask(String linear) {
    Tensor mask = tensors.remove(linear + MASK);
    if (mask == null) {
      return;
    }
    multiply(linear + BIAS, linear + MASK, mask);
    Tensor masked = tensors.get(linear + BIAS);
    float[] bias = masked.floats();
    for (int i = 0; i < bias.length; i++) {
      // Not the −0 of a negative number that is masked.
      bias[i] += 0f;
    }
    tensors.put(linear + BIAS, Tensor.of(bias, masked.shape()));
  }

  private void splitGate(String block) {
    Tensor first = tensors.get(block + FC1 + WEIGHT);
    Tensor last = tensors.get(block + "mlp.fc2" + WEIGHT);
    if (first == null || last == null || !isPacked(first, last)) {
      return;
    }
    halve(block, WEIGHT);
    if (tensors.containsKey(block + FC1 + BIAS)) {
      halve(block, BIAS);
    }
  }

  /**
   * @param fc1 weights of {@code mlp.fc1}
   * @param fc2 weights of {@code mlp.fc2}
   * @return whether the first holds gate and value of SwiGLU
   */
  static boolean isPacked(Tensor fc1, Tensor fc2) {
    return fc1.shape().length == 2
        && fc2.shape().length == 2
        && fc1.shape()[0] == 2 * fc2.shape()[1];
  }

  private void halve(String block, String end) {
    Tensor both = tensors.remove(block + FC1 + end);
    long[] shape = both.shape();
    if (shape.length == 0 || shape[0] % 2 != 0) {
      throw new InputException(
          "%s: tensor %s%s%s: is %s, expected rows of a gate and a value"
              .formatted(source, block, FC1, end, both));
    }
    shape[0] /= 2;
    float[] all = both.floats();
    int half = all.length / 2;
    tensors.put(block + GATED[0] + end, Tensor.of(Arrays.copyOf(all, half), shape));
    tensors.put(block + GATED[1] + end, Tensor.of(Arrays.copyOfRange(all, half, 2 * half), shape));
  }

  /** Two that are there already stay. */
  private void splitHead() {
    Tensor weight = tensors.get(HEAD + WEIGHT);
    Tensor patches = tensors.get(PATCHES + WEIGHT);
    if (weight == null
        || patches == null
        || patches.shape().length == 0
        || tensors.containsKey(MEAN_HEAD + WEIGHT)) {
      return;
    }
    int dim = (int) patches.shape()[0];
    long[] shape = weight.shape();
    if (shape.length != 2 || shape[1] != 2L * dim) {
      throw new InputException(
          "%s: tensor %s%s: is %s, expected %d columns for class token and mean of the patches"
              .formatted(source, HEAD, WEIGHT, weight, 2L * dim));
    }
    float[] both = twice(weight);
    float[] token = new float[both.length / 2];
    float[] mean = new float[both.length / 2];
    for (int at = 0; at < token.length; at += dim) {
      System.arraycopy(both, 2 * at, token, at, dim);
      System.arraycopy(both, 2 * at + dim, mean, at, dim);
    }
    tensors.put(HEAD + WEIGHT, Tensor.of(token, shape[0], dim));
    tensors.put(MEAN_HEAD + WEIGHT, Tensor.of(mean, shape[0], dim));
    tensors.computeIfPresent(HEAD + BIAS, (name, bias) -> Tensor.of(twice(bias), bias.shape()));
    addBias(MEAN_HEAD);
  }

  private static float[] twice(Tensor tensor) {
    float[] values = tensor.floats();
    for (int i = 0; i < values.length; i++) {
      values[i] *= 2;
    }
    return values;
  }

  private void addBias(String linear) {
    Tensor weight = tensors.get(linear + WEIGHT);
    if (weight != null && weight.shape().length > 0) {
      long outputs = weight.shape()[0];
      tensors.computeIfAbsent(linear + BIAS, name -> Tensor.of(new float[(int) outputs], outputs));
    }
  }

  /** q = W_q·latent + b_q in float64; scores = q·W_k/√(head dim) and q·b_k/√(head dim). */
  private void foldPool(int heads) {
    Tensor latent = tensors.get(POOL + "latent");
    if (latent == null || heads == 0) {
      return;
    }
    int dim = latent.size();
    float[][] weight = new float[3][];
    float[][] bias = new float[3][];
    if (tensors.containsKey(POOL + "qkv.weight")) {
      split(rows("qkv.weight", 3 * dim, dim), weight, 0);
      split(rows("qkv.bias", 3 * dim, 1), bias, 0);
    } else {
      weight[0] = rows("q.weight", dim, dim);
      bias[0] = rows("q.bias", dim, 1);
      split(rows("kv.weight", 2 * dim, dim), weight, 1);
      split(rows("kv.bias", 2 * dim, 1), bias, 1);
    }
    if (dim % heads != 0) {
      throw new InputException(
          "%s: tensor attn_pool.latent: has %d channels, expected a multiple of the %d heads"
              .formatted(source, dim, heads));
    }
    double[] query = query(latent.floats(), weight[0], bias[0]);
    int headDim = dim / heads;
    float[] scores = new float[heads * dim];
    float[] offsets = new float[heads];
    for (int h = 0; h < heads; h++) {
      double offset = 0;
      double[] row = new double[dim];
      for (int d = h * headDim; d < (h + 1) * headDim; d++) {
        offset += query[d] * bias[1][d];
        for (int c = 0; c < dim; c++) {
          row[c] += query[d] * weight[1][d * dim + c];
        }
      }
      offsets[h] = (float) (offset / Math.sqrt(headDim));
      for (int c = 0; c < dim; c++) {
        scores[h * dim + c] = (float) (row[c] / Math.sqrt(headDim));
      }
    }
    for (String folded :
        new String[] {
          "latent", "q.weight", "q.bias", "kv.weight", "kv.bias", "qkv.weight", "qkv.bias"
        }) {
      tensors.remove(POOL + folded);
    }
    tensors.put(POOL + "scores.weight", Tensor.of(scores, heads, dim));
    tensors.put(POOL + "scores.bias", Tensor.of(offsets, heads));
    tensors.put(POOL + "v.weight", Tensor.of(weight[2], dim, dim));
    tensors.put(POOL + "v.bias", Tensor.of(bias[2], dim));
  }

  private static double[] query(float[] latent, float[] weight, float[] bias) {
    double[] query = new double[latent.length];
    for (int d = 0; d < query.length; d++) {
      query[d] = bias[d];
      for (int c = 0; c < latent.length; c++) {
        query[d] += (double) weight[d * latent.length + c] * latent[c];
      }
    }
    return query;
  }

  private float[] rows(String name, int rows, int columns) {
    Tensor tensor = tensors.get(POOL + name);
    if (tensor == null || tensor.size() != rows * columns) {
      throw new InputException(
          "%s: tensor %s%s: is %s, expected %d numbers"
              .formatted(source, POOL, name, tensor == null ? "missing" : tensor, rows * columns));
    }
    return tensor.floats();
  }

  private static void split(float[] all, float[][] parts, int first) {
    int length = all.length / (parts.length - first);
    for (int i = first; i < parts.length; i++) {
      parts[i] = Arrays.copyOfRange(all, (i - first) * length, (i - first + 1) * length);
    }
  }
}
