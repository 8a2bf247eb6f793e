package org.ivit.export.diagnose;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.assertj.core.data.Offset;
import org.ivit.core.architecture.Answer;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.calibration.ObservingForward;
import org.ivit.core.calibration.PublishedObserver;
import org.ivit.core.checkpoint.IntegerCheckpoint;
import org.ivit.core.checkpoint.Provenance;
import org.ivit.core.engine.portable.PortableMatrixProducts;
import org.ivit.core.family.Architectures;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.graph.build.GraphBuilder;
import org.ivit.core.image.Preprocess;
import org.ivit.core.scheme.Range;
import org.ivit.core.scheme.Scheme;
import org.ivit.export.freeze.Frozen;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class DiagnosisTest {
  private static final String VIT =
      "{\"kind\":\"vit\",\"image\":16,\"patch\":4,\"dim\":12,\"depth\":2,\"heads\":3,\"classes\":5}";

  /** The same with a projection, whose logits are a feature. */
  private static final String FEATURES = VIT.replace("}", ",\"projection\":true}");

  /** Shifted windows in its second block, a merging, and a pool. */
  private static final String SWIN =
      "{\"kind\":\"swin\",\"image\":32,\"patch\":4,\"window\":4,\"dim\":8,\"depths\":[2,1],"
          + "\"heads\":[2,4],\"classes\":5}";

  private static final int PICTURES = 3;

  private static FloatWeights weights(Architecture architecture) {
    Random random = new Random(4);
    Map<String, float[]> values = new LinkedHashMap<>();
    architecture
        .parameters()
        .forEach(
            (name, shape) -> {
              float[] value = new float[(int) Arrays.stream(shape).reduce(1, Math::multiplyExact)];
              boolean gamma = name.contains("norm") && name.endsWith("weight");
              for (int i = 0; i < value.length; i++) {
                value[i] = (gamma ? 1 : 0) + 0.3f * (float) random.nextGaussian();
              }
              values.put(name, value);
            });
    return new FloatWeights(values, Map.of());
  }

  private static List<float[]> pixels(Architecture architecture) {
    Random random = new Random(8);
    List<float[]> pixels = new ArrayList<>();
    for (int p = 0; p < PICTURES; p++) {
      float[] picture = new float[architecture.pixels()];
      for (int i = 0; i < picture.length; i++) {
        picture[i] = (float) Math.sin(0.02 * i * (p + 1)) + 0.3f * (float) random.nextGaussian();
      }
      pixels.add(picture);
    }
    return pixels;
  }

  private static Frozen frozen(Architecture architecture, String ruined) {
    FloatWeights weights = weights(architecture);
    ObservingForward observing =
        new ObservingForward(
            architecture,
            weights,
            Scheme.EXACT,
            new PortableMatrixProducts(),
            new PublishedObserver());
    List<float[]> pixels = pixels(architecture);
    int size = pixels.get(0).length;
    float[] batch = new float[PICTURES * size];
    for (int i = 0; i < PICTURES; i++) {
      System.arraycopy(pixels.get(i), 0, batch, i * size, size);
    }
    observing.run(batch, PICTURES);
    SortedMap<String, Range> ranges = new TreeMap<>(observing.ranges());
    if (ruined != null) {
      Range good = ranges.get(ruined);
      ranges.put(ruined, new Range(30 * good.min(), 30 * good.max()));
    }
    IntegerCheckpoint checkpoint =
        new IntegerCheckpoint(
            GraphBuilder.build(architecture, weights, Scheme.EXACT, ranges),
            Preprocess.half(architecture.image().side(), architecture.image().side()),
            architecture.answer() == Answer.FEATURES
                ? List.of()
                : IntStream.range(0, 5).mapToObj(i -> "class " + i).toList(),
            Provenance.UNKNOWN);
    return new Frozen(checkpoint, weights, Scheme.EXACT, ranges);
  }

  private static Diagnosis diagnose(Architecture architecture, String ruined) {
    Outputs reference = Outputs.of(architecture, new float[5 * PICTURES]);
    Frozen frozen = frozen(architecture, ruined);
    int[] steps = new int[1];
    Diagnosis diagnosis =
        Diagnosis.of(
            frozen.checkpoint().graph(),
            frozen.weights(),
            reference,
            new int[PICTURES],
            pixels(architecture),
            n -> steps[0] += n);
    assertThat(steps[0]).isEqualTo(Diagnosis.steps(architecture, PICTURES));
    return diagnosis;
  }

  static List<String> descriptions() {
    return List.of(VIT, SWIN, FEATURES);
  }

  /**
   * Values of both forward passes stand for the same: were they in another order in any node, it
   * would be all noise there.
   */
  @ParameterizedTest
  @MethodSource("descriptions")
  void everyNodeIsComparedInItsOwnOrder(String description) {
    Architecture architecture = Architectures.parse(description);
    Diagnosis diagnosis = diagnose(architecture, null);
    assertThat(diagnosis.nodes().stream().map(NodeDiagnosis::node))
        .containsExactlyElementsOf(architecture.nodes().keySet());
    for (NodeDiagnosis node : diagnosis.nodes()) {
      assertThat(node.decibels()).as(node.node()).isGreaterThan(15);
      assertThat(node.cost()).as(node.node()).isBetween(0.0, 0.01);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"blocks.0.norm1", "blocks.1.attn.scores", "blocks.1.mlp.act", "blocks.0.attn.qkv"})
  void aRuinedNodeCostsMost(String ruined) {
    Diagnosis good = diagnose(Architectures.parse(VIT), null);
    Diagnosis bad = diagnose(Architectures.parse(VIT), ruined);
    NodeDiagnosis worst = bad.byCost().get(0);
    assertThat(worst.node()).isEqualTo(ruined);
    int at = List.copyOf(Architectures.parse(VIT).nodes().keySet()).indexOf(ruined);
    assertThat(worst.scale()).isEqualTo(30 * good.nodes().get(at).scale(), Offset.offset(1e-5f));
    assertThat(worst.decibels()).isLessThan(good.nodes().get(at).decibels() - 15);
    assertThat(worst.cost()).isGreaterThan(10 * good.nodes().get(at).cost());
  }

  /** A feature of zeros is like none. */
  @Test
  void featuresAreComparedByCosine() {
    Architecture architecture = Architectures.parse(FEATURES);
    Diagnosis good = diagnose(architecture, null);
    assertThat(good.integers()).isEqualTo(new Divergence(Answer.FEATURES, null, 1));
    assertThat(good.weights().measure()).isEqualTo("1 \u2212 cosine");
    Diagnosis bad = diagnose(architecture, "norm");
    assertThat(bad.byCost().get(0).node()).isEqualTo("norm");
    assertThat(bad.byCost().get(0).cost()).isBetween(0.001, 1.0);
    assertThat(DiagnosisPage.page("a", good, Map.of()).html())
        .contains("mean 1 \u2212 cosine when this node alone")
        .doesNotContain("KL");
  }

  @Test
  void theInputsNoiseIsThatOfItsRounding() {
    Architecture architecture = Architectures.parse(VIT);
    NodeDiagnosis input = diagnose(architecture, null).nodes().get(0);
    double signal = 0;
    double noise = 0;
    for (float[] picture : pixels(architecture)) {
      for (float x : picture) {
        double code = Math.rint(x / (double) input.scale());
        double y = Math.max(-128, Math.min(127, code)) * input.scale();
        signal += (double) x * x;
        noise += (x - y) * (x - y);
      }
    }
    assertThat(input.decibels()).isEqualTo(10 * Math.log10(signal / noise), Offset.offset(0.01));
  }

  @Test
  void aChannelThatStandsOutIsACandidate() {
    Architecture architecture = Architectures.parse(VIT);
    Frozen frozen = frozen(architecture, null);
    frozen.weights().get("blocks.1.norm2.weight")[7] = 400;
    Diagnosis diagnosis =
        Diagnosis.of(
            frozen.checkpoint().graph(),
            frozen.weights(),
            Outputs.of(architecture, new float[5 * PICTURES]),
            new int[PICTURES],
            pixels(architecture),
            n -> {});
    NodeDiagnosis node =
        diagnosis.nodes().stream()
            .filter(n -> n.node().equals("blocks.1.norm2"))
            .findFirst()
            .orElseThrow();
    assertThat(node.candidates().channels()).containsExactly(7);
    assertThat(node.outliers().isEmpty()).isTrue();
  }

  @Test
  void thePageHasEveryNodeTheMostExpensiveFirstAndNothingFromElsewhere() {
    Diagnosis diagnosis = diagnose(Architectures.parse(SWIN), null);
    String page =
        DiagnosisPage.page("a <b> & c", diagnosis, Map.of("version", "ivit 1 <2>")).html();
    assertThat(page).contains("a &lt;b&gt; &amp; c", "ivit 1 &lt;2&gt;").doesNotContain("http");
    assertThat(page).contains("prefers-color-scheme: dark", "class=\"nodes sortable\"");
    List<Integer> places =
        diagnosis.byCost().stream().map(node -> page.indexOf(">" + node.node() + "<")).toList();
    assertThat(places).isSorted().doesNotContain(-1);
  }
}
