package org.ivit.train.operator.floating;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.testing.InlineDescription;
import org.ivit.train.memory.RealType;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Gradients do not depend on how pictures are shared out, and float32 agrees with float64; that
 * these are right is shown by {@code TransformerNetworkTest}.
 */
class FloatGradientsTest {
  private static final int PICTURES = 5;

  private final Random random = new Random(9);

  private double[] normal(int n, double mean, double deviation) {
    return random.doubles(n, 0, 1).map(u -> mean + deviation * random.nextGaussian()).toArray();
  }

  private static void near(
      Map<String, double[]> found, Map<String, double[]> expected, double tolerance) {
    assertThat(found.keySet()).isEqualTo(expected.keySet());
    expected.forEach(
        (name, values) -> {
          // Softmax takes no notice of the bias of all of an attention pool's scores.
          double largest = Math.max(1e-2, Arrays.stream(values).map(Math::abs).max().orElseThrow());
          for (int i = 0; i < values.length; i++) {
            assertThat(found.get(name)[i])
                .as(name)
                .isCloseTo(values[i], within(tolerance * largest));
          }
        });
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "'classes': 0",
        "'classes': 5, 'distilled': true, 'activation': 'gelu_tanh'",
        "'classes': 0, 'image': [16, 24], 'registers': 2, 'positions': 'patches'",
        "'classes': 5, 'pre_norm': true, 'projection': true, 'activation': 'quick_gelu'",
        "'classes': 0, 'pool': 'avg', 'fc_norm': true",
        "'classes': 0, 'pool': 'avg', 'image': [24, 16]",
        "'classes': 5, 'pool': 'avg', 'class_token': false, 'registers': 3",
        "'classes': 0, 'pool': 'map', 'class_token': false",
        "'classes': 5, 'positions': 'none', 'relative_positions': true, 'pool': 'avg',"
            + " 'fc_norm': true, 'image': [16, 24]",
        "'classes': 0, 'positions': 'none', 'rotary': 'dinov3', 'registers': 2, 'image': [16, 24]",
        "'classes': 5, 'rotary': 'cat', 'rotary_grid': [3, 3], 'mlp': 'swiglu_norm',"
            + " 'hidden': 14, 'image': [24, 16]",
        "'classes': 0, 'mlp': 'swiglu', 'hidden': 14",
      })
  void doNotDependOnThreadsOrNumbers(String options) {
    Architecture architecture =
        InlineDescription.parse(
            "'kind': 'vit', 'image': 16, 'patch': 4, 'dim': 12, 'depth': 2, 'heads': 3", options);
    Map<String, double[]> weights = new HashMap<>();
    architecture
        .parameters()
        .forEach(
            (name, shape) -> {
              int length = (int) Arrays.stream(shape).reduce(1, Math::multiplyExact);
              boolean gamma = name.contains("norm") && name.endsWith("weight");
              weights.put(name, normal(length, gamma ? 1 : 0, 0.3));
            });
    double[] pixels = normal(PICTURES * architecture.pixels(), 0, 1);
    double[] factors = normal(PICTURES * architecture.classes(), 0, 1);
    Map<String, double[]> together =
        FloatChain.gradients(architecture, weights, pixels, factors, RealType.FLOAT64, 1);
    assertThat(together.keySet()).isEqualTo(architecture.parameters().keySet());
    Map<String, double[]> apart =
        FloatChain.gradients(architecture, weights, pixels, factors, RealType.FLOAT64, 3);
    near(apart, together, 1e-12);
    Map<String, double[]> single =
        FloatChain.gradients(architecture, weights, pixels, factors, RealType.FLOAT32, 2);
    near(single, together, 1e-4);
  }
}
