package org.ivit.train.network;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.core.pretrained.PretrainedModel;
import org.ivit.core.pretrained.PretrainedModel.Wishes;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.tensor.TensorFile;
import org.ivit.core.testing.InlineDescription;
import org.ivit.core.testing.Shared;
import org.ivit.train.memory.RealType;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Models as others leave them, read and run: each answers what the source's own code answers, and
 * reading them by the wrong rule would be seen.
 */
class PretrainedFamiliesTest {
  private static final String FAMILIES = "golden/families/";
  private static final WorkerPool POOL = new WorkerPool(2);

  /** The largest bound of float64, where reading folds or resamples weights in float32. */
  private static final double LARGEST = 1e-6;

  /** Of float32. */
  private static final double SINGLE = 2e-5;

  @AfterAll
  static void closePool() {
    POOL.close();
  }

  private static PretrainedModel open(String path, String wishes) {
    Wishes asked = wishes == null ? Wishes.NONE : new Wishes(InlineDescription.keys(wishes), null);
    return PretrainedModel.open(Shared.path(FAMILIES + path), asked, line -> {});
  }

  private static TensorFile golden(String file) {
    return Shared.tensors(FAMILIES + file + ".safetensors");
  }

  /**
   * The largest difference of what a model answers.
   *
   * @param file of the answers
   * @param tensor in it
   * @param pictures file of the pictures; null where it is the same
   */
  private static double error(
      String path, String wishes, String file, String tensor, String pictures, RealType type) {
    PretrainedModel model = open(path, wishes);
    Tensor images = golden(pictures == null ? file : pictures).get("images");
    double[] found = network(model, type).logits(images.floats(), (int) images.shape()[0]);
    return difference(found, expected(golden(file).get(tensor)));
  }

  private static TransformerNetwork network(PretrainedModel model, RealType type) {
    NetworkOptions options = NetworkOptions.inference(model.architecture(), null).withType(type);
    TransformerNetwork network = TransformerNetwork.build(options, POOL);
    network.load(FloatWeights.of(model.weights().tensors()));
    return network;
  }

  /** Of tokens, the first of each picture. */
  private static double[] expected(Tensor tensor) {
    long[] shape = tensor.shape();
    if (shape.length == 2) {
      return tensor.doubles();
    }
    int dim = (int) shape[2];
    double[] all = tensor.doubles();
    double[] first = new double[(int) shape[0] * dim];
    for (int i = 0; i < shape[0]; i++) {
      System.arraycopy(all, i * (int) shape[1] * dim, first, i * dim, dim);
    }
    return first;
  }

  private static double difference(double[] found, double[] expected) {
    assertThat(found).hasSameSizeAs(expected);
    double largest = 0;
    for (int i = 0; i < expected.length; i++) {
      largest = Math.max(largest, Math.abs(found[i] - expected[i]));
    }
    return largest;
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      nullValues = "-",
      value = {
        "vit_headless | - | vit_headless/float | pooled | - | 1e-9",
        "vit_headless_avg | - | vit_headless_avg/float | pooled | - | 1e-9",
        "vit_headless_avg_fcnorm | - | vit_headless_avg_fcnorm/float | pooled | - | 1e-9",
        "deit3 | - | deit3/float | logits | - | 1e-6",
        "dinov2 | - | dinov2/float | pooled | - | 1e-6",
        "dinov2_reg4 | - | dinov2_reg4/float | pooled | - | 1e-6",
        "clip_quickgelu | - | clip_quickgelu/float | logits | - | 1e-9",
        "clip_laion | - | clip_laion/float | logits | - | 1e-9",
        "sbb_reg4_gap | - | sbb_reg4_gap/float | logits | - | 1e-6",
        "sbb_reg1_gap_posreg | - | sbb_reg1_gap_posreg/float | logits | - | 1e-6",
        "siglip_map | - | siglip_map/float | pooled | - | 1e-6",
        "siglip_gap | - | siglip_gap/float | pooled | - | 1e-9",
        "flexivit | - | flexivit/float | logits | - | 1e-9",
        "flexivit | 'image': 48 | flexivit/float_48 | logits | - | 1e-6",
        "flexivit | 'image': 24 | flexivit/float_24 | logits | - | 1e-6",
        "flexivit | 'image': [24, 40] | flexivit/float_24x40 | logits | - | 1e-6",
        "beit | - | beit/float | logits | - | 1e-6",
        "dinov2_swiglu | - | dinov2_swiglu/float | pooled | - | 1e-6",
        "dinov3 | - | dinov3/float | pooled | - | 1e-6",
        "dinov3 | 'image': [24, 40] | dinov3/float_24x40 | pooled | - | 1e-6",
        "dinov3_plus_qkvb | - | dinov3_plus_qkvb/float | pooled | - | 1e-6",
        "eva02 | - | eva02/float | logits | - | 1e-6",
        "hf_dinov3 | - | dinov3/float | features | - | 1e-6",
        "release_dinov3_plus | 'heads': 4, 'image': 32 | dinov3_plus_qkvb/float | pooled | - | 1e-6",
        "hf_dinov2 | - | hf_dinov2/float_28 | pooler_output | - | 1e-6",
        "hf_dinov2 | 'image': 42 | hf_dinov2/float | pooler_output | dinov2/float | 1e-6",
        "hf_clip | - | clip_quickgelu/float | logits | - | 1e-9",
        "hf_siglip | - | hf_siglip/float | pooler_output | siglip_map/float | 1e-6",
        "hf_vit_mae | - | hf_vit_mae/float | last_hidden_state | vit_headless_avg/float | 1e-9",
        "hf_beit | - | hf_beit/float | logits | beit/float | 1e-6",
        "release_dinov2_reg4 | 'heads': 2 | dinov2_reg4/float | pooled | - | 1e-6",
        "release_openai_clip/openai_clip_jit.pt | 'heads': 3"
            + " | release_openai_clip/float | logits | clip_quickgelu/float | 1e-9",
        "release_open_clip | - | clip_laion/float | logits | - | 1e-9",
        "release_siglip | - | hf_siglip/float | pooler_output | siglip_map/float | 1e-6",
      })
  void answersWhatTheSourceAnswers(
      String path, String wishes, String file, String tensor, String pictures, double bound) {
    assertThat(error(path, wishes, file, tensor, pictures, RealType.FLOAT64))
        .isLessThanOrEqualTo(bound);
    assertThat(error(path, wishes, file, tensor, pictures, RealType.FLOAT32))
        .isLessThanOrEqualTo(SINGLE);
  }

  /**
   * Where the file has them: what the blocks receive, and what each gives, of the first picture.
   */
  @ParameterizedTest
  @CsvSource({
    "vit_headless, vit_headless/float, vit_headless/float, 1e-9",
    "deit3, deit3/float, deit3/float, 1e-6",
    "dinov2_reg4, dinov2_reg4/float, dinov2_reg4/float, 1e-6",
    "clip_quickgelu, clip_quickgelu/float, clip_quickgelu/float, 1e-9",
    "hf_clip, clip_quickgelu/float, clip_quickgelu/float, 1e-9",
    "release_open_clip, clip_laion/float, clip_laion/float, 1e-9",
    "sbb_reg4_gap, sbb_reg4_gap/float, sbb_reg4_gap/float, 1e-6",
    "siglip_map, siglip_map/float, siglip_map/float, 1e-9",
    "hf_siglip, hf_siglip/float, siglip_map/float, 1e-9",
    "release_siglip, hf_siglip/float, siglip_map/float, 1e-9",
    "beit, beit/float, beit/float, 1e-6"
  })
  void blocksGiveWhatTheSourceGives(String path, String file, String pictures, double bound) {
    PretrainedModel model = open(path, null);
    Tensor images = golden(pictures).get("images");
    Map<String, double[]> nodes = new HashMap<>();
    TransformerNetwork network = network(model, RealType.FLOAT64);
    network
        .execution()
        .tap(
            (node, values, from, length, channels) -> {
              double[] part = new double[length];
              values.get(from, part, 0, length);
              nodes.put(node.name(), part);
            });
    network.logits(Arrays.copyOf(images.floats(), model.architecture().pixels()), 1);
    TensorFile expected = golden(file);
    if (expected.tensors().containsKey("embed")) {
      double[] first = nodes.getOrDefault("norm_pre", nodes.get("embed"));
      assertThat(difference(first, expected.get("embed").doubles())).isLessThanOrEqualTo(bound);
    }
    for (int i = 0; i < model.architecture().blocks().size(); i++) {
      double[] block = nodes.get(model.architecture().blocks().get(i).output().name());
      double[] golden = expected.get("block_" + i).doubles();
      assertThat(difference(block, golden)).as("block %d", i).isLessThanOrEqualTo(bound);
    }
  }

  /** A model, told to be another than its files say, or that of another source. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      nullValues = "-",
      value = {
        "hf_vit_mae | 'epsilon': 1e-6 | hf_vit_mae/float | last_hidden_state"
            + " | vit_headless_avg/float",
        "hf_beit | 'epsilon': 1e-6 | hf_beit/float | logits | beit/float",
        "clip_laion | 'epsilon': 1e-6 | clip_laion/float | logits | -",
        "hf_siglip | 'activation': 'gelu' | hf_siglip/float | pooler_output | siglip_map/float",
        "siglip_map | - | hf_siglip/float | pooler_output | siglip_map/float",
        "hf_clip | 'activation': 'gelu' | clip_quickgelu/float | logits | -",
        "dinov2 | 'image': 28 | hf_dinov2/float_28 | pooler_output | -",
      })
  void whatIsReadWrongIsSeen(
      String path, String wishes, String file, String tensor, String pictures) {
    assertThat(error(path, wishes, file, tensor, pictures, RealType.FLOAT64))
        .isGreaterThan(LARGEST);
  }
}
