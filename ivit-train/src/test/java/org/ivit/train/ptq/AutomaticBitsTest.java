package org.ivit.train.ptq;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.checkpoint.CheckpointFile;
import org.ivit.core.family.Architectures;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.graph.Linear;
import org.ivit.core.graph.build.GraphBuilder;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.train.ptq.bits.ChosenBits;
import org.ivit.train.ptq.bits.FileSize;
import org.ivit.train.recipe.WeightRules;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Calibration that chooses the bits of layers. */
class AutomaticBitsTest {
  private static final Architecture VIT = architecture(5);

  /** Answers with features. */
  private static final Architecture FEATURES = architecture(0);

  private static Architecture architecture(int classes) {
    return Architectures.parse(
        """
        {"kind": "vit", "name": "small", "image": [16, 24], "patch": 4, "dim": 40, "depth": 2,
        "heads": 2, "hidden": 72, "classes": %d}
        """
            .formatted(classes));
  }

  private static List<float[]> pictures(Architecture architecture) {
    return IntStream.range(0, 4)
        .mapToObj(
            seed -> {
              Random random = new Random(seed);
              float[] pixels = new float[4 * architecture.pixels()];
              for (int i = 0; i < pixels.length; i++) {
                pixels[i] = (float) random.nextGaussian();
              }
              return pixels;
            })
        .toList();
  }

  private static FloatWeights weights(Architecture architecture) {
    return UnevenWeights.of(architecture, new Random(3));
  }

  private static PostTrainingCalibration.Result calibrated(
      Architecture architecture,
      String rules,
      FileSize size,
      PostTrainingCalibration.Progress progress) {
    try (WorkerPool pool = new WorkerPool(2)) {
      List<float[]> pictures = pictures(architecture);
      return new PostTrainingCalibration(architecture, WeightRecipe.quantization(rules), pool)
          .run(weights(architecture), pictures, pictures, size, progress);
    }
  }

  private static PostTrainingCalibration.Result calibrated(
      Architecture architecture, String rules) {
    return calibrated(architecture, rules, AutomaticBitsTest::bytes, (stage, done, total) -> {});
  }

  /** Weights, and a byte for each rule that the file's recipe has to say. */
  private static long bytes(IntegerGraph graph, WeightRules rules) {
    long bytes = rules.overrides().size();
    for (Linear linear : graph.linears()) {
      bytes += CheckpointFile.weightBytes(linear.outputs(), linear.inputs(), linear.codes().grid());
    }
    return bytes;
  }

  private static IntegerGraph graph(
      Architecture architecture, PostTrainingCalibration.Result found) {
    return GraphBuilder.build(architecture, found.weights(), found.scheme(), found.ranges());
  }

  /** The float network's answers, a picture each. */
  private static double[][] answers(Architecture architecture, FloatWeights weights) {
    List<double[]> answers = new ArrayList<>();
    for (float[] batch : pictures(architecture)) {
      int count = batch.length / architecture.pixels();
      double[] all =
          FloatFamily.outputs(architecture, weights, batch, count, WorkerPool.shared(1))
              .values()
              .stream()
              .reduce((first, last) -> last)
              .orElseThrow();
      int width = all.length / count;
      for (int n = 0; n < count; n++) {
        answers.add(Arrays.copyOfRange(all, n * width, (n + 1) * width));
      }
    }
    return answers.toArray(double[][]::new);
  }

  private static double distance(Architecture architecture, PostTrainingCalibration.Result found) {
    double[][] expected = answers(architecture, weights(architecture));
    return new AnswerDistance(architecture.answer(), pictures(architecture), expected)
        .of(graph(architecture, found), () -> {});
  }

  private static long withBits(int bits) {
    return bytes(graph(VIT, calibrated(VIT, "{bits: %d}".formatted(bits))), rules("{bits: 8}"));
  }

  private static WeightRules rules(String weights) {
    return WeightRecipe.quantization(weights).weights();
  }

  @Test
  void aSizeIsUsedWithoutBeingPassed() {
    long four = withBits(4);
    long eight = withBits(8);
    double before = Double.POSITIVE_INFINITY;
    for (long size = four + 60; size < eight + 2000; size += (eight - four) / 3) {
      PostTrainingCalibration.Result found =
          calibrated(VIT, "{bits: auto, size: %d}".formatted(size));
      ChosenBits bits = found.bits();
      IntegerGraph graph = graph(VIT, found);
      assertThat(bits.bytes()).isEqualTo(bytes(graph, bits.rules())).isLessThanOrEqualTo(size);
      assertThat(bits.estimate()).isLessThan(before);
      before = bits.estimate();
      for (Linear linear : graph.linears()) {
        boolean block = linear.name().startsWith("blocks.");
        assertThat(bits.layers().containsKey(linear.name())).isEqualTo(block);
        assertThat(linear.codes().bits())
            .isEqualTo(block ? bits.layers().get(linear.name()).bits() : 8);
      }
      if (size >= eight) {
        assertThat(bits.layers().values()).noneMatch(WeightRules.Choice::fewer);
      }
    }
  }

  /** The rules that are written down make the same model. */
  @Test
  void whatWasChosenCanBeRepeated() {
    long size = (withBits(4) + withBits(8)) / 2;
    PostTrainingCalibration.Result found =
        calibrated(
            VIT,
            "{bits: auto, size: %d, overrides: [{pattern: blocks.0.attn.qkv, bits: 5, codes: table}]}"
                .formatted(size));
    assertThat(found.bits().layers()).hasSize(7).doesNotContainKey("blocks.0.attn.qkv");
    assertThat(found.weights().grid("blocks.0.attn.qkv.weight").describe())
        .isEqualTo("5 bits, table");
    try (WorkerPool pool = new WorkerPool(3)) {
      PostTrainingCalibration.Result again =
          new PostTrainingCalibration(
                  VIT, WeightRecipe.quantization("{bits: 4}").with(found.bits().rules()), pool)
              .run(
                  weights(VIT),
                  pictures(VIT),
                  pictures(VIT),
                  AutomaticBitsTest::bytes,
                  (stage, done, total) -> {});
      IntegerGraph graph = graph(VIT, found);
      IntegerGraph other = graph(VIT, again);
      for (int i = 0; i < graph.linears().size(); i++) {
        assertThat(other.linears().get(i).codes().stored())
            .isEqualTo(graph.linears().get(i).codes().stored());
        assertThat(other.linears().get(i).bias()).isEqualTo(graph.linears().get(i).bias());
      }
    }
  }

  /** A model whose constants take more than those of the draft is tried again. */
  @Test
  void aModelThatIsLargerThanItsDraftGetsFewerBits() {
    long size = (withBits(4) + withBits(5)) / 2 + 700;
    List<String> drawn = new ArrayList<>();
    FileSize larger =
        (graph, rules) -> {
          boolean calibrated = !drawn.isEmpty();
          return bytes(graph, rules) + (calibrated ? 500 : 0);
        };
    List<Integer> totals = new ArrayList<>();
    PostTrainingCalibration.Result found =
        calibrated(
            VIT,
            "{bits: auto, size: %d}".formatted(size),
            larger,
            (stage, done, total) -> {
              if (stage.equals("ranges are observed")) {
                drawn.add(stage);
              }
              assertThat(done).isBetween(1, total);
              totals.add(total - done);
            });
    assertThat(found.bits().bytes()).isLessThanOrEqualTo(size);
    assertThat(bytes(graph(VIT, found), found.bits().rules())).isLessThanOrEqualTo(size - 500);
    assertThat(totals.get(totals.size() - 1)).isZero();
  }

  @ParameterizedTest
  @ValueSource(ints = {5, 0})
  void aDistanceIsKeptWithFewBytes(int classes) {
    Architecture architecture = classes == 0 ? FEATURES : VIT;
    double four = distance(architecture, calibrated(architecture, "{bits: 4}"));
    double eight = distance(architecture, calibrated(architecture, "{bits: 8}"));
    double budget = Math.sqrt(four * eight);
    PostTrainingCalibration.Result found =
        calibrated(architecture, "{bits: auto, kl: %s}".formatted(budget));
    assertThat(found.bits().found())
        .isLessThanOrEqualTo(budget)
        .isCloseTo(distance(architecture, found), within(1e-4 * budget));
    assertThat(found.bits().layers().values()).anyMatch(WeightRules.Choice::fewer);
    assertThat(found.bits().bytes())
        .isEqualTo(bytes(graph(architecture, found), found.bits().rules()));
    assertThatThrownBy(
            () -> calibrated(architecture, "{bits: auto, kl: %s}".formatted(eight / 1e3)))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith("quantization.weights.kl: found ")
        .hasMessageContaining("but the best model that was tried has ");
  }

  @Test
  void aSizeThatNoFileHasIsRefusedBeforeTheWork() {
    long four = withBits(4);
    assertThatThrownBy(
            () ->
                calibrated(
                    VIT,
                    "{bits: auto, size: %d}".formatted(four - 1),
                    AutomaticBitsTest::bytes,
                    (stage, done, total) -> {
                      throw new AssertionError(stage);
                    }))
        .isInstanceOf(InputException.class)
        .hasMessage(
            "quantization.weights.size: found %d bytes, expected at least %d: files of small have %d to %d bytes"
                .formatted(four - 1, four, four, withBits(8)));
  }

  /** Of weights alone, activations in floating point; few pictures tell no more than a factor. */
  @ParameterizedTest
  @ValueSource(ints = {4, 5, 6})
  void theEstimateIsNearTheTruth(int bits) {
    PostTrainingCalibration.Result found =
        calibrated(VIT, "{bits: auto, size: %d}".formatted(withBits(bits) + 8));
    double[][] expected = answers(VIT, weights(VIT));
    double[][] rounded = answers(VIT, new FloatWeights(found.weights().values(), Map.of()));
    double distance = 0;
    for (int n = 0; n < expected.length; n++) {
      distance += AnswerDistance.between(VIT.answer(), expected[n], rounded[n]) / expected.length;
    }
    assertThat(found.bits().estimate()).isBetween(distance / 3, distance * 3);
  }

  @Test
  void theTableHasARowABlock() {
    ChosenBits bits = calibrated(VIT, "{bits: auto, size: 1MB}").bits();
    assertThat(bits.table())
        .containsExactly(
            "bits of   attn.qkv  attn.proj  mlp.fc1  mlp.fc2",
            "blocks.0         8          8        8        8",
            "blocks.1         8          8        8        8");
    assertThat(bits.summary())
        .matches("\\d+ bytes; rounding these layers is estimated at KL 0\\.\\d{4}");
  }
}
