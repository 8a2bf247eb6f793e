package org.ivit.train.operator.floating;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Head;
import org.ivit.core.architecture.MeanPooling;
import org.ivit.core.architecture.Norm;
import org.ivit.core.architecture.Part;
import org.ivit.core.architecture.Rotary;
import org.ivit.core.architecture.Windows;
import org.ivit.core.tensor.TensorFile;
import org.ivit.train.memory.RealType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The operators compute timm's float64 networks of today's families, and the mistakes that are easy
 * to make would be seen.
 */
class GoldenFamiliesTest {
  /** What a float64 network that takes the file's tables keeps to. */
  private static final double BOUND = 1e-9;

  /**
   * What a float64 network keeps to that takes weights folded in float32: a mistake must exceed it
   * to be found wherever the weights come from.
   */
  private static final double FOLDED_BOUND = 1e-6;

  static Iterable<String> names() {
    return GoldenFamily.names();
  }

  private static double difference(double[] found, double[] expected) {
    assertThat(found.length).isGreaterThanOrEqualTo(expected.length);
    double largest = 0;
    for (int i = 0; i < expected.length; i++) {
      largest = Math.max(largest, Math.abs(found[i] - expected[i]));
    }
    return largest;
  }

  private static void near(double[] found, TensorFile golden, String tensor, double bound) {
    double[] expected = golden.get(tensor).doubles();
    assertThat(difference(found, expected)).as(tensor).isLessThanOrEqualTo(bound);
  }

  @ParameterizedTest
  @MethodSource("names")
  void float64EqualsTimm(String name) {
    GoldenFamily family = new GoldenFamily(name);
    TensorFile golden = family.tensors("float");
    allNear(family.architecture(), family.weights(), golden, RealType.FLOAT64, BOUND, BOUND);
  }

  @ParameterizedTest
  @MethodSource("names")
  void float32IsNearTimm(String name) {
    GoldenFamily family = new GoldenFamily(name);
    TensorFile golden = family.tensors("float");
    allNear(family.architecture(), family.weights(), golden, RealType.FLOAT32, 1e-4, 2e-5);
  }

  /** Positions as timm resampled them. */
  @ParameterizedTest
  @CsvSource({"48, 48", "24, 24", "24, 40"})
  void float64EqualsTimmAtOtherSizes(int height, int width) {
    GoldenFamily family = new GoldenFamily("flexivit");
    TensorFile golden =
        family.tensors("float_" + (height == width ? height : height + "x" + width));
    Map<String, double[]> weights = family.weights();
    weights.put("pos_embed", golden.get("pos_embed").doubles());
    Architecture other = family.architecture("'image': [%d, %d]".formatted(height, width));
    allNear(other, weights, golden, RealType.FLOAT64, BOUND, BOUND);
  }

  private static void allNear(
      Architecture architecture,
      Map<String, double[]> weights,
      TensorFile golden,
      RealType type,
      double bound,
      double pooledBound) {
    double[] pixels = golden.get("images").doubles();
    Rotary.Table table = table(architecture, golden);
    Map<String, double[]> nodes = FloatChain.run(architecture, weights, pixels, type, table);
    boolean preNorm = nodes.containsKey("norm_pre");
    near(nodes.get(preNorm ? "norm_pre" : "embed"), golden, "embed", bound);
    for (int i = 0; i < architecture.blocks().size(); i++) {
      String node = architecture.blocks().get(i).residual2().name();
      near(nodes.get(node), golden, "block_" + i, bound);
    }
    Map<String, double[]> features =
        FloatChain.run(untilFeatures(architecture), weights, pixels, type, table);
    String last = architecture.blocks().get(architecture.blocks().size() - 1).residual2().name();
    near(features.getOrDefault("norm", features.get(last)), golden, "features", bound);
    near(nodes.get(pooled(architecture)), golden, "pooled", pooledBound);
    if (golden.tensors().containsKey("logits")) {
      near(nodes.get(FloatChain.ANSWER), golden, "logits", pooledBound);
    }
  }

  /** Rotary positions as timm computed them, in float32; null where there are none. */
  private static Rotary.Table table(Architecture architecture, TensorFile golden) {
    Block block = architecture.blocks().get(0);
    if (block.rotary() == null) {
      return null;
    }
    Rotary.Table table = block.rotary().table(block.headDim());
    int leading = block.rotary().leading() * block.headDim();
    double[] cos = golden.get("rope_cos").doubles();
    double[] sin = golden.get("rope_sin").doubles();
    System.arraycopy(cos, 0, table.cos(), leading, cos.length);
    for (int i = 0; i < sin.length; i++) {
      int channel = i % block.headDim();
      boolean first = block.rotary().kind().partner(channel, block.headDim()) > channel;
      table.sin()[leading + i] = first ? -sin[i] : sin[i];
    }
    return table;
  }

  /** timm's tables are of float32, ours of float64. */
  @ParameterizedTest
  @ValueSource(strings = {"dinov3", "dinov3_plus_qkvb", "eva02"})
  void ownRotaryTablesAreNearTimms(String name) {
    GoldenFamily family = new GoldenFamily(name);
    assertThat(error(name, family.architecture(), family.weights())).isLessThan(FOLDED_BOUND);
  }

  @Test
  void rotaryPositionsFollowAPictureOfAnotherSize() {
    GoldenFamily family = new GoldenFamily("dinov3");
    Architecture other = family.architecture("'image': [24, 40]");
    TensorFile golden = family.tensors("float_24x40");
    allNear(other, family.weights(), golden, RealType.FLOAT64, BOUND, BOUND);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "dinov3 | 'rotary': 'cat'",
        "dinov3_plus_qkvb | 'rotary': 'cat'",
        "eva02 | 'rotary_grid': 4",
      })
  void otherRotaryPositionsAreSeen(String name, String mistake) {
    GoldenFamily family = new GoldenFamily(name);
    Architecture wrong = family.architecture(mistake);
    assertThat(error(name, wrong, family.weights())).isGreaterThan(1e-3);
  }

  /** The node that timm calls so. */
  private static String pooled(Architecture architecture) {
    Head head = architecture.head();
    return head.classifiers().isEmpty() ? FloatChain.ANSWER : head.features().name();
  }

  /** The network until the final norm of all its tokens, where that comes before the pool. */
  private static Architecture untilFeatures(Architecture architecture) {
    List<Part> parts = new ArrayList<>(architecture.parts());
    parts.removeIf(
        part -> part instanceof Head || (part instanceof Norm norm && norm.tokens() == 1));
    Part last = parts.get(parts.size() - 1);
    int tokens = last.outputTokens();
    if (tokens > 1) {
      double epsilon = architecture.blocks().get(0).epsilon();
      parts.add(new Norm("norm", tokens, last.outputDim(), epsilon));
    }
    parts.add(Head.ofFirstToken(tokens, last.outputDim()));
    return new Architecture(architecture.family(), architecture.name(), parts);
  }

  /** The largest difference of what the model answers, or of its features before the classifier. */
  private static double error(String name, Architecture wrong, Map<String, double[]> weights) {
    TensorFile golden = new GoldenFamily(name).tensors("float");
    Map<String, double[]> nodes =
        FloatChain.run(wrong, weights, golden.get("images").doubles(), RealType.FLOAT64);
    return difference(nodes.get(pooled(wrong)), golden.get("pooled").doubles());
  }

  private static double error(String name, String mistake) {
    GoldenFamily family = new GoldenFamily(name);
    return error(name, family.architecture(mistake), family.weights());
  }

  @ParameterizedTest
  @CsvSource({
    "clip_quickgelu, 1e-6",
    "clip_laion, 1e-6",
    "vit_headless, 1e-5",
    "siglip_map, 1e-5",
    "dinov3, 1e-6",
    "dinov3_plus_qkvb, 1e-6",
    "eva02, 1e-5",
    "beit, 1e-12",
    "vit_headless_avg, 1e-12"
  })
  void anotherEpsilonIsSeen(String name, double epsilon) {
    assertThat(error(name, "'epsilon': " + epsilon)).isGreaterThan(FOLDED_BOUND);
  }

  @ParameterizedTest
  @CsvSource({
    "clip_quickgelu, gelu",
    "clip_laion, quick_gelu",
    "siglip_map, gelu_tanh",
    "siglip_gap, gelu_tanh",
  })
  void anotherActivationIsSeen(String name, String activation) {
    assertThat(error(name, "'activation': '" + activation + "'")).isGreaterThan(100 * FOLDED_BOUND);
  }

  @Test
  void aNormBeforeInsteadOfAfterTheMeanIsSeen() {
    GoldenFamily family = new GoldenFamily("vit_headless_avg_fcnorm");
    Map<String, double[]> weights = family.weights();
    weights.put("norm.weight", weights.get("fc_norm.weight"));
    weights.put("norm.bias", weights.get("fc_norm.bias"));
    Architecture wrong = family.architecture("'fc_norm': false");
    assertThat(error("vit_headless_avg_fcnorm", wrong, weights)).isGreaterThan(0.1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"vit_headless_avg", "vit_headless_avg_fcnorm", "sbb_reg4_gap", "beit"})
  void leadingTokensInTheMeanAreSeen(String name) {
    GoldenFamily family = new GoldenFamily(name);
    List<Part> parts = new ArrayList<>(family.architecture().parts());
    parts.replaceAll(GoldenFamiliesTest::withLeadingTokensInTheMean);
    Architecture wrong = new Architecture("vit", name, parts);
    assertThat(error(name, wrong, family.weights())).isGreaterThan(0.01);
  }

  private static Part withLeadingTokensInTheMean(Part part) {
    if (part instanceof MeanPooling mean) {
      return new MeanPooling(mean.tokens(), 0, mean.dim());
    }
    if (part instanceof Head head && head.pooled()) {
      return new Head(
          head.tokens(),
          head.dim(),
          true,
          null,
          null,
          head.classes(),
          head.classifiers(),
          null,
          head.epsilon());
    }
    return part;
  }

  private static Map<String, double[]> changed(
      String name, Predicate<String> which, Consumer<double[]> change) {
    Map<String, double[]> weights = new GoldenFamily(name).weights();
    weights.forEach(
        (key, values) -> {
          if (which.test(key)) {
            change.accept(values);
          }
        });
    return weights;
  }

  /** Layer scales are as small as 1e-5 in trained models, and are no zeros. */
  @ParameterizedTest
  @ValueSource(strings = {"deit3", "dinov2", "dinov2_reg4", "sbb_reg4_gap", "beit"})
  void smallLayerScalesMatter(String name) {
    TensorFile file = new GoldenFamily(name).tensors("weights");
    boolean beit = name.equals("beit");
    for (String block : List.of("blocks.0.", "blocks.1.")) {
      double[] gamma = file.get(block + (beit ? "gamma_2" : "ls2.gamma")).doubles();
      Map<String, double[]> dropped =
          changed(
              name,
              key -> key.startsWith(block + "mlp.fc2."),
              values -> {
                for (int i = 0; i < values.length; i++) {
                  double g = gamma[i / (values.length / gamma.length)];
                  values[i] = Math.abs(g) < 1e-2 ? 0 : values[i];
                }
              });
      assertThat(error(name, new GoldenFamily(name).architecture(), dropped))
          .as(block)
          .isGreaterThan(FOLDED_BOUND);
    }
  }

  /** Queries and keys changed places. */
  @Test
  void aTransposedRelativeIndexIsSeen() {
    GoldenFamily family = new GoldenFamily("beit");
    Architecture beit = family.architecture();
    Windows windows = beit.blocks().get(0).windows();
    int heads = beit.blocks().get(0).heads();
    int[] index = windows.relativeIndex();
    int n = windows.tokens();
    Map<String, double[]> transposed =
        changed(
            "beit",
            key -> key.endsWith("relative_position_bias_table"),
            table -> {
              double[] before = table.clone();
              for (int i = 0; i < n * n; i++) {
                int mirrored = index[i % n * n + i / n];
                System.arraycopy(before, mirrored * heads, table, index[i] * heads, heads);
              }
            });
    assertThat(error("beit", beit, transposed)).isGreaterThan(1e-3);
  }

  @ParameterizedTest
  @ValueSource(strings = {"dinov2_reg4", "deit3", "sbb_reg4_gap"})
  void positionsOfTokensThatHaveNoneAreSeen(String name) {
    GoldenFamily family = new GoldenFamily(name);
    Architecture right = family.architecture();
    int dim = right.stem().dim();
    int leading = right.stem().leadingTokens();
    Map<String, double[]> weights = family.weights();
    double[] patches = weights.get("pos_embed");
    double[] all = new double[leading * dim + patches.length];
    System.arraycopy(patches, 0, all, 0, leading * dim);
    System.arraycopy(patches, 0, all, leading * dim, patches.length);
    weights.put("pos_embed", all);
    Architecture wrong = family.architecture("'positions': 'all'");
    assertThat(error(name, wrong, weights)).isGreaterThan(1e-3);
  }
}
