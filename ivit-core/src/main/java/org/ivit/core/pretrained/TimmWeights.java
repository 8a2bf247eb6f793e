package org.ivit.core.pretrained;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Norm;
import org.ivit.core.architecture.Part;
import org.ivit.core.architecture.Positions;
import org.ivit.core.architecture.Stem;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.tensor.TensorFile;

/**
 * The way back from {@link CanonicalWeights}: parameters that timm's model of the same name loads,
 * and computes the same with. What was folded stays folded, and its place is taken by what changes
 * nothing: LayerScale's γ by ones; the attention pool's query by √(head dim) in the first channel
 * of each head, whose keys are the scores.
 *
 * <p>Biases that timm's model lacks go where they have the same effect: the patch projection's into
 * the patches' positions; the values' into that of the projection behind attention, since
 * probabilities sum to one; the keys' nowhere, since they move all scores of a query alike. With
 * rotary positions they do not: then a bias of the keys that is not zero stays, as {@code k_bias},
 * which timm's models of the class Eva do not load.
 */
public final class TimmWeights {
  /** Names of timm's models of its class Eva without LayerScale. */
  private static final Pattern EVA02 = Pattern.compile("eva02_.*");

  /** Names of those with LayerScale, which is {@code gamma_1} and {@code gamma_2} there. */
  private static final Pattern SCALED_EVA = Pattern.compile(".*dinov3.*|vit_.*_rope_reg\\d_gap_.*");

  /** Of the first, names of models whose queries, keys and values lie apart. */
  private static final Pattern APART = Pattern.compile("eva02_(base|large)_.*");

  /** Names of models whose gate and value lie in one. */
  private static final Pattern PACKED = Pattern.compile(".*dinov2.*|eva02_(tiny|small)_.*");

  /** Names of timm's models that have LayerScale. */
  private static final Pattern SCALED =
      Pattern.compile("deit3_.*|.*dinov2.*|vit_.*_reg\\d_gap_.*|vit_medium_patch16_gap_.*");

  /** Names of models whose queries, keys and values have no bias. */
  private static final Pattern UNBIASED =
      Pattern.compile("vit_so150m2_.*|vit_medium_patch16_gap_.*|vit_mediumd_.*_rope_.*|.*dinov3");

  private static final String POOL = "attn_pool.";

  private final Architecture architecture;
  private final Map<String, Tensor> tensors;

  private TimmWeights(TensorFile file, Architecture architecture) {
    this.architecture = architecture;
    this.tensors = new LinkedHashMap<>(file.tensors());
  }

  /**
   * @param file canonical parameters of the architecture, F32; frozen scales beside them stay
   * @param architecture whose name says which parameters timm's model has
   * @return the same under timm's names
   */
  public static TensorFile of(TensorFile file, Architecture architecture) {
    TimmWeights weights = new TimmWeights(file, architecture);
    boolean preNorm = architecture.parts().stream().anyMatch(TimmWeights::isPreNorm);
    if (preNorm) {
      weights.movePatchBias();
    }
    for (Block block : architecture.blocks()) {
      weights.block(block);
    }
    weights.unfoldPool();
    return new TensorFile(weights.tensors, file.metadata(), file.source());
  }

  private static boolean isPreNorm(Part part) {
    return part instanceof Norm norm && norm.name().equals("norm_pre");
  }

  private void movePatchBias() {
    Stem stem = architecture.stem();
    float[] bias = tensors.remove(Stem.PROJECTION + ".bias").floats();
    if (isZero(bias) || stem.positioned() == Positions.NONE) {
      return;
    }
    Tensor positions = tensors.get(Stem.POSITION);
    float[] all = positions.floats();
    int first = stem.positionRows() - stem.patches();
    for (int i = first * bias.length; i < all.length; i++) {
      all[i] += bias[i % bias.length];
    }
    tensors.put(Stem.POSITION, Tensor.of(all, positions.shape()));
  }

  private void block(Block block) {
    String prefix = block.name() + ".";
    String attention = prefix + "attn.";
    String name = architecture.name();
    boolean scaledEva = SCALED_EVA.matcher(name).matches();
    boolean eva = scaledEva || EVA02.matcher(name).matches();
    boolean beit = block.windows() != null && block.windows().leadingTokens() > 0;
    if (beit || scaledEva) {
      ones(prefix + "gamma_1", block.dim());
      ones(prefix + "gamma_2", block.dim());
    } else if (SCALED.matcher(name).matches()) {
      ones(prefix + "ls1.gamma", block.dim());
      ones(prefix + "ls2.gamma", block.dim());
    }
    if (UNBIASED.matcher(name).matches()) {
      removeBiases(attention, block);
    }
    if (beit || eva) {
      splitBias(attention, block);
    }
    if (APART.matcher(name).matches()) {
      splitQkv(attention, block.dim());
    }
    if (block.gated() && PACKED.matcher(name).matches()) {
      join(prefix, ".weight");
      join(prefix, ".bias");
    }
  }

  private void splitBias(String attention, Block block) {
    Tensor joined = tensors.remove(attention + "qkv.bias");
    if (joined == null) {
      return;
    }
    float[] bias = joined.floats();
    int dim = block.dim();
    float[] keys = Arrays.copyOfRange(bias, dim, 2 * dim);
    put(attention + "q_bias", Arrays.copyOf(bias, dim));
    put(attention + "v_bias", Arrays.copyOfRange(bias, 2 * dim, bias.length));
    if (block.rotary() != null && !isZero(keys)) {
      put(attention + "k_bias", keys);
    }
  }

  private void splitQkv(String attention, int dim) {
    float[] all = tensors.remove(attention + "qkv.weight").floats();
    String[] names = {"q", "k", "v"};
    for (int i = 0; i < names.length; i++) {
      int rows = dim * dim;
      tensors.put(
          attention + names[i] + "_proj.weight",
          Tensor.of(Arrays.copyOfRange(all, i * rows, (i + 1) * rows), dim, dim));
      Tensor bias = tensors.remove(attention + names[i] + "_bias");
      if (bias != null) {
        tensors.put(attention + names[i] + "_proj.bias", bias);
      }
    }
  }

  /** Gate and value in one. */
  private void join(String prefix, String end) {
    Tensor gate = tensors.remove(prefix + "mlp.fc1_g" + end);
    float[] first = gate.floats();
    float[] second = tensors.remove(prefix + "mlp.fc1_x" + end).floats();
    float[] both = Arrays.copyOf(first, 2 * first.length);
    System.arraycopy(second, 0, both, first.length, second.length);
    long[] shape = gate.shape();
    shape[0] *= 2;
    tensors.put(prefix + "mlp.fc1" + end, Tensor.of(both, shape));
  }

  /**
   * A bias of the queries has no other place, nor one of the keys with rotary positions: with one,
   * timm's model needs {@code qkv_bias}.
   */
  private void removeBiases(String attention, Block block) {
    int dim = block.dim();
    float[] bias = tensors.get(attention + "qkv.bias").floats();
    int placed = block.rotary() == null ? dim : 2 * dim;
    if (!isZero(Arrays.copyOf(bias, placed))) {
      return;
    }
    tensors.remove(attention + "qkv.bias");
    float[] projection = tensors.get(attention + "proj.weight").floats();
    float[] moved = tensors.get(attention + "proj.bias").floats();
    for (int i = 0; i < dim; i++) {
      double sum = moved[i];
      for (int c = 0; c < dim; c++) {
        sum += (double) projection[i * dim + c] * bias[2 * dim + c];
      }
      moved[i] = (float) sum;
    }
    put(attention + "proj.bias", moved);
  }

  private void unfoldPool() {
    Tensor weight = tensors.remove(POOL + "scores.weight");
    if (weight == null) {
      return;
    }
    int heads = (int) weight.shape()[0];
    int dim = (int) weight.shape()[1];
    int headDim = dim / heads;
    float[] scores = weight.floats();
    float[] offsets = tensors.remove(POOL + "scores.bias").floats();
    float[] keyValues = new float[2 * dim * dim];
    float[] biases = new float[2 * dim];
    float[] query = new float[dim];
    float root = (float) Math.sqrt(headDim);
    // √(head dim) is rounded to float32 where it is no integer; the keys take that back.
    double correction = Math.sqrt(headDim) / root;
    for (int h = 0; h < heads; h++) {
      int row = h * headDim;
      query[row] = root;
      biases[row] = (float) (offsets[h] * correction);
      for (int c = 0; c < dim; c++) {
        keyValues[row * dim + c] = (float) (scores[h * dim + c] * correction);
      }
    }
    System.arraycopy(
        tensors.remove(POOL + "v.weight").floats(), 0, keyValues, dim * dim, dim * dim);
    System.arraycopy(tensors.remove(POOL + "v.bias").floats(), 0, biases, dim, dim);
    tensors.put(POOL + "latent", Tensor.of(new float[dim], 1, 1, dim));
    tensors.put(POOL + "q.weight", Tensor.of(new float[dim * dim], dim, dim));
    put(POOL + "q.bias", query);
    tensors.put(POOL + "kv.weight", Tensor.of(keyValues, 2L * dim, dim));
    put(POOL + "kv.bias", biases);
  }

  private void ones(String name, int count) {
    float[] ones = new float[count];
    Arrays.fill(ones, 1);
    put(name, ones);
  }

  private void put(String name, float[] values) {
    tensors.put(name, Tensor.of(values, values.length));
  }

  private static boolean isZero(float[] values) {
    for (float value : values) {
      if (value != 0) {
        return false;
      }
    }
    return true;
  }
}
