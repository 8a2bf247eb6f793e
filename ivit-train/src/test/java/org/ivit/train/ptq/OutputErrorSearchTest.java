package org.ivit.train.ptq;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.arithmetic.AsymmetricGelu;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.Silu;
import org.ivit.core.calibration.NodeValues;
import org.ivit.core.calibration.PublishedObserver;
import org.ivit.core.family.Architectures;
import org.ivit.core.family.Vit;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.train.memory.OpenBlasGemm;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OutputErrorSearchTest {
  private static final Architecture VIT =
      new Vit("two blocks", 4, 2, 4, 2, 2, 6, 3, 1e-6).architecture();

  /** The same tokens; the class token alone is read. */
  private static final Architecture HEADLESS =
      Architectures.parse(
          """
          {"kind":"vit","image":4,"patch":2,"dim":8,"depth":2,"heads":2,"hidden":12,"classes":0}""");

  private static final int ROWS = 200;
  private static final int DIM = 8;
  private static final int HIDDEN = 12;
  private static WorkerPool pool;

  @BeforeAll
  static void open() {
    pool = new WorkerPool(2);
  }

  @AfterAll
  static void close() {
    pool.close();
  }

  private final Random random = new Random(1);
  private final RowSamples samples = new RowSamples(new PublishedObserver(), ROWS, ReadTokens.ALL);
  private final Map<String, float[]> weights = new HashMap<>();

  private float[] uniform(int n, float limit) {
    float[] x = new float[n];
    for (int i = 0; i < n; i++) {
      x[i] = limit * (2 * random.nextFloat() - 1);
    }
    return x;
  }

  private float[] observe(String node, int channels, int outlier, float factor) {
    float[] x = uniform(ROWS * channels, 1);
    for (int i = outlier; i < x.length; i += channels) {
      x[i] *= factor;
    }
    samples.observe(new NodeValues(VIT.nodes().get(node), x, channels, OutlierChannels.NONE));
    return x;
  }

  private void weight(String name, int outputs, int inputs) {
    weights.put(name + ".weight", uniform(outputs * inputs, 1));
  }

  private OutputErrorSearch.Result search(Map<String, OutlierChannels> fixed, GeluForm gelu) {
    return search(VIT, samples, fixed, gelu);
  }

  private OutputErrorSearch.Result search(
      Architecture architecture,
      RowSamples rows,
      Map<String, OutlierChannels> fixed,
      GeluForm gelu) {
    return new OutputErrorSearch(
            architecture, rows.samples(), new FloatWeights(weights, Map.of()), fixed)
        .run(gelu, pool, () -> {});
  }

  @Test
  void setsTheLargeChannelApart() {
    observe("blocks.0.norm1", DIM, 5, 100);
    weight("blocks.0.attn.qkv", 6, DIM);
    OutputErrorSearch.Result found = search(null, GeluForm.EXACT);
    assertThat(found.outliers().get("blocks.0.norm1"))
        .isEqualTo(new OutlierChannels(new int[] {5}, 7));
    // The largest value of the set is held, and the others' range is not wasted on it.
    assertThat(found.ranges().get("blocks.0.norm1").max()).isBetween(99 / 128f, 1f);
  }

  @Test
  void leavesEvenChannelsTogether() {
    observe("blocks.0.norm2", DIM, 0, 1);
    weight("blocks.0.mlp.fc1", 6, DIM);
    OutputErrorSearch.Result found = search(null, GeluForm.EXACT);
    assertThat(found.outliers()).isEmpty();
    assertThat(found.ranges()).containsOnlyKeys("blocks.0.norm2");
  }

  @Test
  void clipsWhatIsRare() {
    float[] x = uniform(ROWS * DIM, 0.1f);
    x[3 * DIM] = 0.35f;
    for (int c = 0; c < DIM; c++) {
      x[c] = 0.1f;
      x[DIM + c] = -0.1f;
      x[(4 + c) * DIM + c] = 0.35f;
    }
    samples.observe(new NodeValues(VIT.nodes().get("norm"), x, DIM, OutlierChannels.NONE));
    weight("head", 6, DIM);
    Map<String, OutlierChannels> none = Map.of();
    float limit = search(none, GeluForm.EXACT).ranges().get("norm").max();
    OutputError error =
        new OutputError(x, DIM, weights.get("head.weight"), null, false, new OpenBlasGemm());
    for (int i = 0; i < 50; i++) {
      float other = 0.35f * (float) Math.pow(0.95, i);
      assertThat(error.of(limit, OutlierChannels.NONE))
          .isLessThanOrEqualTo(1.25 * error.of(other, OutlierChannels.NONE));
    }
  }

  /** The same rare values as above cost more at the class token: other pictures' are larger yet. */
  @Test
  void noRangeClipsTheClassToken() {
    float[] x = uniform(ROWS * DIM, 0.1f);
    int tokens = VIT.blocks().get(0).tokens();
    for (int c = 0; c < DIM; c++) {
      x[c * tokens * DIM + c] = 0.35f;
    }
    RowSamples classTokens = new RowSamples(new PublishedObserver(), ROWS, ReadTokens.of(HEADLESS));
    classTokens.observe(
        new NodeValues(VIT.nodes().get("blocks.0.norm2"), x, DIM, OutlierChannels.NONE));
    weight("blocks.0.mlp.fc1", 6, DIM);
    OutputErrorSearch.Result found = search(HEADLESS, classTokens, null, GeluForm.EXACT);
    float limit = found.ranges().get("blocks.0.norm2").max();
    OutlierChannels outliers =
        found.outliers().getOrDefault("blocks.0.norm2", OutlierChannels.NONE);
    for (int c = 0; c < DIM; c++) {
      assertThat(limit * (outliers.contains(c) ? outliers.factor() : 1))
          .isGreaterThan(1.49f * 0.35f);
    }
  }

  @Test
  void fc1SharesTheChannelsOfAct() {
    observe("blocks.1.mlp.fc1", HIDDEN, 7, 12);
    observe("blocks.1.mlp.act", HIDDEN, 7, 40);
    weight("blocks.1.mlp.fc2", DIM, HIDDEN);
    OutputErrorSearch.Result found = search(null, GeluForm.EXACT);
    assertThat(found.outliers().get("blocks.1.mlp.act").channels()).containsExactly(7);
    assertThat(found.outliers().get("blocks.1.mlp.fc1").channels()).containsExactly(7);
    assertThat(found.ranges()).containsOnlyKeys("blocks.1.mlp.act", "blocks.1.mlp.fc1");
  }

  @Test
  void fc1AndActChooseTogetherWhereTheAnswerIsAFeature() {
    observe("blocks.1.mlp.fc1", HIDDEN, 7, 100);
    observe("blocks.1.mlp.act", HIDDEN, 7, 1.05f);
    weight("blocks.1.mlp.fc2", DIM, HIDDEN);
    assertThat(search(VIT, samples, null, GeluForm.EXACT).outliers()).isEmpty();
    OutputErrorSearch.Result found = search(HEADLESS, samples, null, GeluForm.EXACT);
    assertThat(found.outliers().get("blocks.1.mlp.act").channels()).containsExactly(7);
    assertThat(found.outliers().get("blocks.1.mlp.fc1").channels()).containsExactly(7);
  }

  @Test
  void withoutExactGeluOnlyTheRangeOfActIsSearched() {
    observe("blocks.1.mlp.fc1", HIDDEN, 7, 12);
    observe("blocks.1.mlp.act", HIDDEN, 7, 40);
    weight("blocks.1.mlp.fc2", DIM, HIDDEN);
    OutputErrorSearch.Result found = search(null, GeluForm.ROW);
    assertThat(found.outliers()).isEmpty();
    assertThat(found.ranges()).containsOnlyKeys("blocks.1.mlp.act");
  }

  @Test
  void asymmetricCodesHalveTheStepOfAct() {
    float[] x = uniform(ROWS * HIDDEN, 1);
    for (int i = 0; i < x.length; i++) {
      x[i] = Math.max(x[i], AsymmetricGelu.LEAST);
    }
    samples.observe(
        new NodeValues(VIT.nodes().get("blocks.1.mlp.act"), x, HIDDEN, OutlierChannels.NONE));
    weight("blocks.1.mlp.fc2", DIM, HIDDEN);
    float limit = search(Map.of(), GeluForm.ASYMMETRIC).ranges().get("blocks.1.mlp.act").max();
    double symmetric = error(x, false).of(1, OutlierChannels.NONE);
    double asymmetric = error(x, true).of(limit, OutlierChannels.NONE);
    assertThat(asymmetric).isLessThan(0.4 * symmetric);
  }

  private OutputError error(float[] act, boolean asymmetric) {
    return new OutputError(
        act, HIDDEN, weights.get("blocks.1.mlp.fc2.weight"), null, asymmetric, new OpenBlasGemm());
  }

  @Test
  void keepsGivenChannels() {
    observe("blocks.0.attn.context", DIM, 2, 9);
    observe("blocks.0.norm1", DIM, 5, 100);
    weight("blocks.0.attn.proj", 6, DIM);
    weight("blocks.0.attn.qkv", 6, DIM);
    OutlierChannels given = new OutlierChannels(new int[] {1, 2}, 4);
    OutputErrorSearch.Result found = search(Map.of("blocks.0.attn.context", given), GeluForm.EXACT);
    assertThat(found.outliers()).containsOnly(Map.entry("blocks.0.attn.context", given));
    assertThat(found.ranges()).containsOnlyKeys("blocks.0.attn.context", "blocks.0.norm1");
  }

  private static Architecture gated(String mlp) {
    return Architectures.parse(
        """
        {"kind": "vit", "image": 4, "patch": 2, "dim": 8, "depth": 1, "heads": 2, "hidden": 12,
         "classes": 3, "mlp": "%s"}
        """
            .formatted(mlp));
  }

  /** Mostly small, with a few values ten times as large. */
  private float[] longTailed() {
    float[] x = uniform(ROWS * HIDDEN, 1);
    for (int i = 0; i < x.length; i += 97) {
      x[i] *= 10;
    }
    return x;
  }

  private float[] observe(Architecture architecture, String node, float[] x) {
    samples.observe(
        new NodeValues(architecture.nodes().get(node), x, HIDDEN, OutlierChannels.NONE));
    return x;
  }

  /** The error at the output of a block's last product where one of the two is quantized. */
  private double cost(float[] gates, float[] values, boolean gate, float limit, float[] gamma) {
    double scale = limit / 127.0;
    double sum = 0;
    float[] last = weights.get("blocks.0.mlp.fc2.weight");
    for (int row = 0; row < gates.length; row += HIDDEN) {
      double[] exact = new double[HIDDEN];
      double[] rounded = new double[HIDDEN];
      for (int c = 0; c < HIDDEN; c++) {
        double g = gates[row + c];
        double v = values[row + c];
        exact[c] = Silu.value(g) * v;
        double code = Math.max(-128, Math.min(127, Math.rint((gate ? g : v) / scale)));
        rounded[c] = gate ? Silu.value(code * scale) * v : Silu.value(g) * code * scale;
      }
      if (gamma != null) {
        normalise(exact, gamma);
        normalise(rounded, gamma);
      }
      for (int n = 0; n < DIM; n++) {
        double product = 0;
        for (int c = 0; c < HIDDEN; c++) {
          product += last[n * HIDDEN + c] * (rounded[c] - exact[c]);
        }
        sum += product * product;
      }
    }
    return sum;
  }

  private static void normalise(double[] x, float[] gamma) {
    double mean = Arrays.stream(x).average().orElseThrow();
    double variance = Arrays.stream(x).map(v -> (v - mean) * (v - mean)).average().orElseThrow();
    for (int c = 0; c < x.length; c++) {
      x[c] = (x[c] - mean) / Math.sqrt(variance + 1e-6) * gamma[c];
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"swiglu", "swiglu_norm"})
  void gatesAndValuesCostLittleWhereTheyAreRead(String mlp) {
    Architecture architecture = gated(mlp);
    float[] gates = observe(architecture, "blocks.0.mlp.fc1_g", longTailed());
    float[] values = observe(architecture, "blocks.0.mlp.fc1_x", longTailed());
    weight("blocks.0.mlp.fc2", DIM, HIDDEN);
    float[] gamma = mlp.equals("swiglu") ? null : uniform(HIDDEN, 2);
    if (gamma != null) {
      weights.put("blocks.0.mlp.norm.weight", gamma);
    }
    OutputErrorSearch.Result found =
        new OutputErrorSearch(
                architecture, samples.samples(), new FloatWeights(weights, Map.of()), null)
            .run(GeluForm.ROW, pool, () -> {});
    assertThat(found.outliers()).isEmpty();
    assertThat(found.ranges()).containsOnlyKeys("blocks.0.mlp.fc1_g", "blocks.0.mlp.fc1_x");
    for (boolean gate : new boolean[] {true, false}) {
      float limit = found.ranges().get(gate ? "blocks.0.mlp.fc1_g" : "blocks.0.mlp.fc1_x").max();
      double ours = cost(gates, values, gate, limit, gamma);
      for (int i = 0; i < 40; i++) {
        float other = 10 * (float) Math.pow(0.95, i);
        assertThat(ours).isLessThanOrEqualTo(1.25 * cost(gates, values, gate, other, gamma));
      }
    }
  }
}
