package org.ivit.train.ptq;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.SoftmaxForm;
import org.ivit.core.engine.portable.PortableEngine;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.graph.build.GraphBuilder;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.core.testing.GoldenModel;
import org.ivit.core.weight.WeightCoding;
import org.ivit.train.network.NetworkOptions;
import org.ivit.train.network.TransformerNetwork;
import org.ivit.train.recipe.ObserverChoice;
import org.ivit.train.recipe.ObserverRules;
import org.ivit.train.recipe.OutlierChoice;
import org.ivit.train.recipe.Quantization;
import org.ivit.train.recipe.RangeSearch;
import org.ivit.train.recipe.WeightRounding;
import org.ivit.train.recipe.WeightRules;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** Post-training calibration of a Swin with all that it can do. */
class SwinCalibrationTest {
  private static final String MERGING = "layers.0.downsample";
  private static final String ATTENTION = "layers.1.blocks.0.attn";
  private static final WorkerPool POOL = new WorkerPool(2);

  private final GoldenModel model = new GoldenModel("micro_swin_exact");
  private final Architecture swin = model.architecture();

  @AfterAll
  static void close() {
    POOL.close();
  }

  /**
   * The same float function with one loud channel before the first merging's product and uneven
   * ones in a window's queries, keys and values, as trained models have them.
   */
  private FloatWeights uneven() {
    Map<String, float[]> values = new LinkedHashMap<>(model.weights().values());
    int merged = 4 * swin.stem().dim();
    column(values.get(MERGING + ".norm.weight"), merged, 2, 64);
    column(values.get(MERGING + ".norm.bias"), merged, 2, 64);
    column(values.get(MERGING + ".reduction.weight"), merged, 2, 1 / 64f);
    int dim = 2 * swin.stem().dim();
    int[] rows = {1, dim + 1, 2 * dim + 3};
    float[] factors = {32, 1 / 32f, 1 / 32f};
    for (int i = 0; i < rows.length; i++) {
      float[] weight = values.get(ATTENTION + ".qkv.weight");
      for (int k = 0; k < dim; k++) {
        weight[rows[i] * dim + k] *= factors[i];
      }
      values.get(ATTENTION + ".qkv.bias")[rows[i]] *= factors[i];
    }
    column(values.get(ATTENTION + ".proj.weight"), dim, 3, 32);
    return new FloatWeights(values, Map.of());
  }

  private static void column(float[] matrix, int width, int column, float factor) {
    for (int i = column; i < matrix.length; i += width) {
      matrix[i] *= factor;
    }
  }

  private PostTrainingCalibration.Result calibrate(
      FloatWeights weights, OutlierChoice.Mode outliers, boolean equalize, RangeSearch search) {
    return calibrate(weights, outliers, equalize, WeightRounding.NEAREST, search);
  }

  private PostTrainingCalibration.Result calibrate(
      FloatWeights weights,
      OutlierChoice.Mode outliers,
      boolean equalize,
      WeightRounding rounding,
      RangeSearch search) {
    Quantization quantization =
        new Quantization(
            GeluForm.EXACT,
            SoftmaxForm.EXACT,
            16,
            false,
            new OutlierChoice(outliers, Map.of()),
            equalize,
            new WeightRules(8, WeightCoding.GROUP, true, List.of()),
            rounding,
            search,
            new ObserverRules(new ObserverChoice.MinMax(), new ObserverChoice.MinMax(), List.of()),
            null,
            0);
    List<float[]> batches = IntStream.range(0, 3).mapToObj(model::calibrationBatch).toList();
    return new PostTrainingCalibration(swin, quantization, POOL)
        .run(
            weights,
            batches,
            batches,
            (graph, rules) -> 0,
            (stage, done, total) -> assertThat(done).isBetween(1, total));
  }

  private double[] floatLogits(FloatWeights weights) {
    TransformerNetwork network =
        TransformerNetwork.build(NetworkOptions.inference(swin, null), POOL);
    network.load(weights);
    return network.logits(model.evalPixels(), model.pictures());
  }

  /** Mean square of what the integers are off the float logits. */
  private double error(PostTrainingCalibration.Result found, double[] expected) {
    IntegerGraph graph = GraphBuilder.build(swin, found.weights(), found.scheme(), found.ranges());
    double sum = 0;
    try (PortableEngine engine = new PortableEngine(graph)) {
      int[] logits = engine.logits(model.evalCodes(graph), model.pictures());
      for (int i = 0; i < logits.length; i++) {
        sum += Math.pow(logits[i] * (double) graph.logitScale() - expected[i], 2);
      }
    }
    return sum / expected.length;
  }

  @Test
  void undoesWhatUnevenChannelsCost() {
    FloatWeights weights = uneven();
    double[] expected = floatLogits(weights);
    double[] before = floatLogits(model.weights());
    for (int i = 0; i < expected.length; i++) {
      assertThat(Math.abs(expected[i] - before[i])).isLessThan(1e-4);
    }
    double plain =
        error(calibrate(weights, OutlierChoice.Mode.NONE, false, RangeSearch.NONE), expected);
    PostTrainingCalibration.Result byRule =
        calibrate(weights, OutlierChoice.Mode.AUTO, true, RangeSearch.NONE);
    PostTrainingCalibration.Result byError =
        calibrate(weights, OutlierChoice.Mode.AUTO, true, RangeSearch.OUTPUT_ERROR);
    for (PostTrainingCalibration.Result found : List.of(byRule, byError)) {
      assertThat(error(found, expected)).isLessThan(plain / 4);
      assertThat(found.ranges().keySet())
          .containsExactlyInAnyOrderElementsOf(swin.nodes().keySet());
      OutlierChannels loud = found.scheme().outliers(swin.nodes().get(MERGING + ".norm"));
      assertThat(loud.contains(2)).isTrue();
    }
  }

  /** The head reads one row a picture, too few here. */
  @Test
  void roundsTheLayersThatReadManyRowsNearerToTheFloatModel() {
    FloatWeights weights = model.weights();
    FloatWeights found =
        calibrate(
                weights,
                OutlierChoice.Mode.NONE,
                false,
                WeightRounding.SECOND_ORDER,
                RangeSearch.NONE)
            .weights();
    assertThat(found.scales().keySet())
        .contains("layers.0.blocks.1.attn.qkv.weight", MERGING + ".reduction.weight")
        .doesNotContain("head.weight", "patch_embed.proj.weight");
    Map<String, float[]> nearest = new HashMap<>(weights.values());
    found.scales().forEach((name, scale) -> nearest.put(name, nearest(weights.get(name), scale)));
    double[] expected = floatLogits(weights);
    assertThat(squares(floatLogits(new FloatWeights(found.values(), Map.of())), expected))
        .isLessThan(0.5 * squares(floatLogits(new FloatWeights(nearest, Map.of())), expected));
  }

  private static float[] nearest(float[] weight, float[] scale) {
    float[] codes = new float[weight.length];
    int inputs = weight.length / scale.length;
    for (int i = 0; i < weight.length; i++) {
      float s = scale[i / inputs];
      codes[i] = (float) Math.rint(weight[i] / (double) s) * s;
    }
    return codes;
  }

  private static double squares(double[] found, double[] expected) {
    double sum = 0;
    for (int i = 0; i < found.length; i++) {
      sum += Math.pow(found[i] - expected[i], 2);
    }
    return sum;
  }

  /** The final norm feeds the pool, which has one scale. */
  @Test
  void setsNoChannelOfTheFinalNormApart() {
    FloatWeights weights = model.weights();
    weights.get("norm.weight")[1] *= 64;
    for (RangeSearch search : RangeSearch.values()) {
      PostTrainingCalibration.Result found =
          calibrate(weights, OutlierChoice.Mode.AUTO, false, search);
      assertThat(found.scheme().outliers()).doesNotContainKey("norm");
    }
  }
}
