package org.ivit.train.ptq;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.core.engine.portable.PortableEngine;
import org.ivit.core.engine.reference.ReferenceEngine;
import org.ivit.core.family.Architectures;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.graph.Linear;
import org.ivit.core.graph.build.Dequantized;
import org.ivit.core.graph.build.GraphBuilder;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.core.weight.WeightCodes;
import org.ivit.core.weight.WeightCoding;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Calibration to weights of fewer than 8 bits. */
class FewerBitsCalibrationTest {
  private static final Architecture VIT =
      Architectures.parse(
          """
          {"kind": "vit", "name": "small", "image": [16, 24], "patch": 4, "dim": 40, "depth": 2,
          "heads": 2, "hidden": 72, "classes": 5}\
          """);
  private static final FloatWeights WEIGHTS = UnevenWeights.of(VIT, new Random(3));
  private static final List<float[]> PICTURES =
      IntStream.range(0, 4).mapToObj(i -> pixels(i, 4)).toList();

  private static float[] pixels(long seed, int pictures) {
    Random random = new Random(seed);
    float[] pixels = new float[pictures * VIT.pixels()];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (float) random.nextGaussian();
    }
    return pixels;
  }

  private static PostTrainingCalibration.Result calibrated(
      FloatWeights weights, String rules, int threads) {
    try (WorkerPool pool = new WorkerPool(threads)) {
      return new PostTrainingCalibration(VIT, WeightRecipe.quantization(rules), pool)
          .run(weights, PICTURES, PICTURES, (graph, chosen) -> 0, (stage, done, total) -> {});
    }
  }

  private static IntegerGraph graph(PostTrainingCalibration.Result found) {
    return GraphBuilder.build(VIT, found.weights(), found.scheme(), found.ranges());
  }

  @ParameterizedTest
  @CsvSource({"4,group", "5,group", "6,group", "4,table", "5,table", "4,uniform", "6,uniform"})
  void blocksHaveTheirBitsAndEnginesAgree(int bits, String codes) {
    IntegerGraph graph =
        graph(calibrated(WEIGHTS, "{bits: %d, codes: %s}".formatted(bits, codes), 2));
    for (Linear linear : graph.linears()) {
      boolean block = linear.name().startsWith("blocks.");
      assertThat(linear.codes().bits()).as(linear.name()).isEqualTo(block ? bits : 8);
      if (block) {
        assertThat(linear.codes().grid().coding()).isEqualTo(WeightCoding.parse(codes));
      }
    }
    byte[] input = Quantizer.codes8("pixels", pixels(9, 2), graph.inputScale());
    try (WorkerPool pool = new WorkerPool(2);
        ReferenceEngine reference = new ReferenceEngine(graph);
        PortableEngine portable = new PortableEngine(graph, pool, "test")) {
      assertThat(portable.logits(input, 2)).isEqualTo(reference.logits(input, 2));
    }
  }

  @Test
  void anyNumberOfThreadsGivesTheSame() {
    String rules = "{bits: 4, overrides: [{pattern: '*.proj', bits: 5, codes: table}]}";
    IntegerGraph one = graph(calibrated(WEIGHTS, rules, 1));
    IntegerGraph three = graph(calibrated(WEIGHTS, rules, 3));
    for (int i = 0; i < one.linears().size(); i++) {
      Linear linear = one.linears().get(i);
      assertThat(three.linears().get(i).codes().stored())
          .as(linear.name())
          .isEqualTo(linear.codes().stored());
      assertThat(three.linears().get(i).bias()).isEqualTo(linear.bias());
    }
  }

  @Test
  void whatAGraphStandsForBecomesTheSameGraph() {
    PostTrainingCalibration.Result found = calibrated(WEIGHTS, "{bits: 4}", 2);
    IntegerGraph graph = graph(found);
    FloatWeights back = Dequantized.of(graph);
    IntegerGraph again = GraphBuilder.build(VIT, back, found.scheme(), found.ranges());
    for (int i = 0; i < graph.linears().size(); i++) {
      WeightCodes codes = graph.linears().get(i).codes();
      assertThat(again.linears().get(i).codes().stored()).isEqualTo(codes.stored());
    }
  }

  /** A patch embedding and a classifier that a pattern names. */
  @Test
  void everyLayerMayHaveFewer() {
    IntegerGraph graph =
        graph(
            calibrated(
                WEIGHTS,
                "{bits: 8, overrides: [{pattern: patch_embed, bits: 5},"
                    + " {pattern: head, bits: 6, codes: uniform}]}",
                2));
    for (Linear linear : graph.linears()) {
      assertThat(linear.codes().bits())
          .as(linear.name())
          .isEqualTo(
              switch (linear.name()) {
                case "patch_embed" -> 5;
                case "head" -> 6;
                default -> 8;
              });
    }
  }

  @Test
  void integerWeightsAreRefused() {
    FloatWeights integers = Dequantized.of(graph(calibrated(WEIGHTS, "{bits: 8}", 2)));
    assertThatThrownBy(() -> calibrated(integers, "{bits: 4}", 2))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith("quantization.weights: ")
        .hasMessageContaining("bring frozen scales");
  }
}
