package org.ivit.train.operator.floating;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Node;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.core.calibration.ObservingForward;
import org.ivit.core.calibration.PublishedObserver;
import org.ivit.core.engine.portable.PortableMatrixProducts;
import org.ivit.core.engine.reference.ReferenceEngine;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.graph.build.GraphBuilder;
import org.ivit.core.scheme.Scheme;
import org.ivit.core.testing.InlineDescription;
import org.ivit.train.memory.RealType;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The float network shows the nodes that the integer network has, each in the same order, and what
 * it answers is what the integers stand for.
 */
class TappedNodesTest {
  private static final int PICTURES = 2;

  private final Random random = new Random(4);

  private FloatWeights weights(Architecture architecture) {
    Map<String, float[]> values = new HashMap<>();
    architecture
        .parameters()
        .forEach(
            (name, shape) -> {
              long length = 1;
              for (long n : shape) {
                length *= n;
              }
              boolean gamma = name.contains("norm") && name.endsWith("weight");
              float[] value = new float[(int) length];
              for (int i = 0; i < value.length; i++) {
                value[i] = (gamma ? 1 : 0) + 0.3f * (float) random.nextGaussian();
              }
              values.put(name, value);
            });
    return new FloatWeights(values, Map.of());
  }

  private float[] pixels(Architecture architecture) {
    float[] pixels = new float[PICTURES * architecture.pixels()];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (float) Math.sin(0.02 * i) + 0.3f * (float) random.nextGaussian();
    }
    return pixels;
  }

  private static double[] wide(float[] values) {
    double[] wide = new double[values.length];
    for (int i = 0; i < wide.length; i++) {
      wide[i] = values[i];
    }
    return wide;
  }

  private static int[] codes(Object codes) {
    if (codes instanceof int[] ints) {
      return ints;
    }
    int length = java.lang.reflect.Array.getLength(codes);
    int[] wide = new int[length];
    for (int i = 0; i < length; i++) {
      wide[i] = java.lang.reflect.Array.getInt(codes, i);
    }
    return wide;
  }

  /** 10·log10(Σx²/Σ(x−y)²) of values and what codes stand for. */
  private static double decibels(double[] values, int[] codes, double scale) {
    assertThat(codes).hasSameSizeAs(values);
    double signal = 0;
    double noise = 0;
    for (int i = 0; i < values.length; i++) {
      double difference = values[i] - codes[i] * scale;
      signal += values[i] * values[i];
      noise += difference * difference;
    }
    return 10 * Math.log10(signal / noise);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "'classes': 0",
        "'classes': 5, 'activation': 'gelu_tanh'",
        "'classes': 0, 'image': [16, 24], 'registers': 2, 'positions': 'patches'",
        "'classes': 5, 'pre_norm': true, 'projection': true, 'activation': 'quick_gelu'",
        "'classes': 0, 'pool': 'avg', 'fc_norm': true",
        "'classes': 0, 'pool': 'avg', 'image': [24, 16]",
        "'classes': 5, 'pool': 'avg', 'class_token': false, 'registers': 3",
        "'classes': 0, 'pool': 'map', 'class_token': false",
        "'classes': 5, 'positions': 'none', 'relative_positions': true, 'pool': 'avg',"
            + " 'fc_norm': true, 'image': [16, 24]",
        "'classes': 0, 'rotary': 'dinov3', 'registers': 2, 'image': [16, 24], 'pool': 'avg'",
        "'classes': 5, 'rotary': 'dinov3', 'positions': 'none', 'mlp': 'swiglu'",
        "'classes': 5, 'rotary': 'cat', 'rotary_grid': [3, 2], 'mlp': 'swiglu_norm'",
        "'classes': 0, 'mlp': 'swiglu'",
      })
  void areThoseOfTheIntegerNetworkInItsOrder(String options) {
    Architecture architecture =
        InlineDescription.parse(
            "'kind': 'vit', 'image': 16, 'patch': 4, 'dim': 12, 'depth': 2, 'heads': 3", options);
    FloatWeights weights = weights(architecture);
    float[] pixels = pixels(architecture);
    Map<String, double[]> doubles = new HashMap<>();
    weights.values().forEach((name, value) -> doubles.put(name, wide(value)));
    Map<String, double[]> nodes =
        FloatChain.run(architecture, doubles, wide(pixels), RealType.FLOAT64);
    Set<String> expected = new LinkedHashSet<>(architecture.nodes().keySet());
    expected.add(FloatChain.ANSWER);
    assertThat(nodes.keySet()).isEqualTo(expected);

    Scheme scheme = Scheme.EXACT.withNormEpsilon(true);
    ObservingForward observing =
        new ObservingForward(
            architecture, weights, scheme, new PortableMatrixProducts(), new PublishedObserver());
    observing.run(pixels, PICTURES);
    IntegerGraph graph = GraphBuilder.build(architecture, weights, scheme, observing.ranges());
    List<String> met = new ArrayList<>();
    try (ReferenceEngine engine = new ReferenceEngine(graph)) {
      byte[] input = Quantizer.codes8(Node.INPUT.name(), pixels, graph.inputScale());
      int[] answer =
          engine.logits(
              input,
              PICTURES,
              (node, codes) -> {
                Float scale = graph.scales().get(node);
                // The float network shows its pixels in patches.
                if (nodes.containsKey(node) && !node.equals(Node.INPUT.name())) {
                  met.add(node);
                  double decibels = decibels(nodes.get(node), codes(codes), scale);
                  assertThat(decibels).as(node).isGreaterThan(12);
                }
              });
      assertThat(decibels(nodes.get(FloatChain.ANSWER), answer, graph.logitScale()))
          .as("answer")
          .isGreaterThan(15);
    }
    expected.remove(Node.INPUT.name());
    expected.remove(FloatChain.ANSWER);
    assertThat(met).containsExactlyElementsOf(expected);
  }
}
