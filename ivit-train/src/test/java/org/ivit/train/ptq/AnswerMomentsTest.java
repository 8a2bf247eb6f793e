package org.ivit.train.ptq;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.ivit.core.architecture.Answer;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.LinearSpec;
import org.ivit.core.family.Architectures;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.train.augment.KeyedRandom;
import org.ivit.train.memory.OpenBlasGemm;
import org.ivit.train.memory.RealType;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.Execution;
import org.ivit.train.operator.Operator;
import org.ivit.train.operator.floating.FloatOperators;
import org.ivit.train.parameter.ParameterLayout;
import org.ivit.train.parameter.PartSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AnswerMomentsTest {
  private static Architecture micro(int classes) {
    return Architectures.parse(
        """
        {"kind": "vit", "image": 16, "patch": 8, "dim": 8, "depth": 2, "heads": 2, "classes": %d}
        """
            .formatted(classes));
  }

  private static float[] normal(Random random, int size) {
    float[] values = new float[size];
    for (int i = 0; i < size; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private static FloatWeights weights(Architecture architecture) {
    Random random = new Random(3);
    Map<String, float[]> values = new LinkedHashMap<>();
    architecture
        .parameters()
        .forEach(
            (name, shape) ->
                values.put(
                    name, normal(random, (int) Arrays.stream(shape).reduce(1, (a, b) -> a * b))));
    return new FloatWeights(values, Map.of());
  }

  @Test
  void momentsAreThoseOfWeightedRowsFarFromZero() {
    Random random = new Random(1);
    int channels = 3;
    SecondMoment moment = new SecondMoment(channels, new OpenBlasGemm());
    List<double[]> rows = new ArrayList<>();
    List<Double> weights = new ArrayList<>();
    for (int count : new int[] {1, 4, 2}) {
      double[] values = new double[count * channels];
      Arrays.setAll(values, i -> 1000 + random.nextInt(64) / 16.0);
      double[] own = random.doubles(count).toArray();
      moment.add(Reals.of(RealType.FLOAT32, values), own);
      for (int r = 0; r < count; r++) {
        rows.add(Arrays.copyOfRange(values, r * channels, (r + 1) * channels));
        weights.add(own[r]);
      }
    }
    double total = weights.stream().mapToDouble(w -> w).sum();
    double[] mean = new double[channels];
    double[] raw = new double[channels * channels];
    for (int r = 0; r < rows.size(); r++) {
      for (int i = 0; i < channels; i++) {
        mean[i] += weights.get(r) * rows.get(r)[i] / total;
        for (int j = 0; j < channels; j++) {
          raw[i * channels + j] += weights.get(r) * rows.get(r)[i] * rows.get(r)[j] / total;
        }
      }
    }
    double[] centred = raw.clone();
    for (int i = 0; i < raw.length; i++) {
      centred[i] -= mean[i / channels] * mean[i % channels];
    }
    assertThat(moment.rows()).isEqualTo(7);
    assertThat(moment.mean()).containsExactly(mean, within(1e-9));
    assertThat(moment.centred()).containsExactly(centred, within(1e-5));
    assertThat(moment.raw()).containsExactly(raw, within(1e-5));
  }

  @Test
  void areTheSameWithAnyNumberOfThreads() {
    Architecture architecture = micro(5);
    FloatWeights weights = weights(architecture);
    Random random = new Random(2);
    List<float[]> batches =
        List.of(
            normal(random, 3 * architecture.pixels()),
            normal(random, architecture.pixels()),
            normal(random, 4 * architecture.pixels()));
    List<List<double[]>> found = new ArrayList<>();
    for (int threads : new int[] {1, 2, 5, 5}) {
      try (WorkerPool pool = new WorkerPool(threads)) {
        AnswerMoments moments = new AnswerMoments(architecture.linears(), List.of());
        moments.add(architecture, weights, batches, pool, () -> {});
        found.add(
            architecture.linears().stream().map(layer -> moments.of(layer).centred()).toList());
      }
    }
    assertThat(found.subList(1, 4))
        .allSatisfy(
            other -> {
              for (int i = 0; i < other.size(); i++) {
                assertThat(other.get(i)).isEqualTo(found.get(0).get(i));
              }
            });
  }

  /** The answer's product with a direction, a node's element raised by a little. */
  private static double product(
      Architecture architecture,
      FloatWeights weights,
      float[] pixels,
      double[] direction,
      String node,
      int element,
      double by) {
    try (WorkerPool pool = new WorkerPool(1)) {
      Execution run = new Execution(pool, RealType.FLOAT64);
      run.tap(
          (tapped, values, from, length, channels) -> {
            if (tapped.name().equals(node)) {
              values.put(from + element, values.get(from + element) + by);
            }
          });
      Reals x = Reals.allocate(RealType.FLOAT64, pixels.length);
      x.put(0, pixels, 0, pixels.length);
      for (PartSpec spec : PartSpec.of(architecture, 0)) {
        Operator operator = FloatOperators.of(spec);
        Reals own = Reals.allocate(RealType.FLOAT64, operator.layout().size());
        for (ParameterLayout.Entry entry : operator.layout().entries()) {
          own.put(entry.from(), weights.get(spec.prefix() + entry.key()), 0, entry.size());
        }
        Reals y = Reals.allocate(RealType.FLOAT64, spec.outputs());
        operator.forward(own, x, y, 1, false, run);
        x = y;
      }
      double sum = 0;
      double[] answer = x.doubles();
      for (int i = 0; i < answer.length; i++) {
        sum += answer[i] * direction[i];
      }
      return sum;
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {5, 0})
  void tokensCountByWhatTheyDoToTheAnswer(int classes) {
    Architecture architecture = micro(classes);
    FloatWeights weights = weights(architecture);
    float[] pixels = normal(new Random(4), architecture.pixels());
    Map<String, double[]> squares = new HashMap<>();
    PictureGradient gradient =
        new PictureGradient(
            architecture,
            weights,
            RealType.FLOAT64,
            (layer, x, gy, from, rows) ->
                squares.put(
                    layer.parameters(), AnswerMoments.squares(gy, from, rows, layer.outputs())));
    gradient.run(pixels, 0, 7, Runnable::run);
    double[] answer =
        FloatFamily.outputs(architecture, weights, pixels, 1, WorkerPool.shared(1))
            .values()
            .stream()
            .reduce((first, last) -> last)
            .orElseThrow();
    double[] direction =
        AnswerNoise.of(
            architecture.answer(), answer, new KeyedRandom(KeyedRandom.Use.ANSWER_NOISE, 0, 7));
    double step = 1e-5;
    for (LinearSpec layer : architecture.linears()) {
      if (!layer.parameters().startsWith("blocks.")) {
        continue;
      }
      double[] found = squares.get(layer.parameters());
      assertThat(found).hasSize(5);
      for (int row = 0; row < found.length; row++) {
        double expected = 0;
        for (int c = 0; c < layer.outputs(); c++) {
          int at = row * layer.outputs() + c;
          String node = layer.node().name();
          double above = product(architecture, weights, pixels, direction, node, at, step);
          double below = product(architecture, weights, pixels, direction, node, at, -step);
          double slope = (above - below) / (2 * step);
          expected += slope * slope / layer.outputs();
        }
        assertThat(found[row])
            .as("%s row %d", layer.parameters(), row)
            .isCloseTo(expected, within(1e-6 * (1 + expected)));
      }
    }
  }

  @Test
  void noiseOfLogitsCostsTwiceTheDivergence() {
    double[] logits = {0.3, -1.2, 2.1};
    double[] change = {0.7, -0.4, 0.2};
    KeyedRandom random = new KeyedRandom(KeyedRandom.Use.ANSWER_NOISE, 1, 1);
    double mean = 0;
    int draws = 40_000;
    for (int n = 0; n < draws; n++) {
      double[] g = AnswerNoise.of(Answer.CLASSES, logits, random);
      double product = 0;
      for (int i = 0; i < g.length; i++) {
        product += g[i] * change[i];
      }
      mean += product * product / draws;
    }
    double total = Arrays.stream(logits).map(Math::exp).sum();
    double square = 0;
    double along = 0;
    for (int i = 0; i < logits.length; i++) {
      double p = Math.exp(logits[i]) / total;
      square += p * change[i] * change[i];
      along += p * change[i];
    }
    double expected = square - along * along;
    assertThat(mean).isCloseTo(expected, within(0.05 * expected));
  }

  @Test
  void noiseOfAFeatureGoesAcrossIt() {
    double[] feature = {3, -4, 12};
    double[] g =
        AnswerNoise.of(
            Answer.FEATURES, feature, new KeyedRandom(KeyedRandom.Use.ANSWER_NOISE, 0, 0));
    assertThat(g[0] * 3 - g[1] * 4 + g[2] * 12).isCloseTo(0, within(1e-12));
    assertThat(
            AnswerNoise.of(
                Answer.FEATURES,
                new double[2],
                new KeyedRandom(KeyedRandom.Use.ANSWER_NOISE, 0, 0)))
        .containsExactly(0, 0);
  }

  @Test
  void theBiasMakesUpForTheMeanOfWhatIsRoundedAway() {
    float[] weight = {1, 2, 3, 4};
    float[] rounded = {1.5f, 2, 2, 5};
    assertThat(
            WeightRoundingPass.corrected(
                new float[] {10, 20}, weight, rounded, new double[] {2, 4}))
        .containsExactly(10 - 1, 20 + 2 - 4);
  }
}
