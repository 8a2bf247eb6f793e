package org.ivit.train.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.util.ModelSerializer;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.core.engine.Engine;
import org.ivit.core.engine.choice.Engines;
import org.ivit.core.engine.portable.PortableEngine;
import org.ivit.core.engine.reference.ReferenceEngine;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.graph.Linear;
import org.ivit.core.graph.build.GraphBuilder;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.core.weight.WeightCoding;
import org.ivit.core.weight.WeightGrid;
import org.ivit.train.gpu.MicroCase;
import org.ivit.train.gpu.TrainingCase;
import org.ivit.train.memory.RealType;
import org.ivit.train.operator.RangeMode;
import org.ivit.train.parameter.GridPoints;
import org.ivit.train.parameter.GridWeights;
import org.ivit.train.step.MicroBatch;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.schedule.FixedSchedule;

/** Networks whose weights have fewer than 8 bits, in training and in engines. */
class GridNetworkTest {
  private static final WorkerPool POOL = new WorkerPool(2);

  @AfterAll
  static void closePool() {
    POOL.close();
  }

  /** Every coding and width with one network, and each network with one of them. */
  static List<Arguments> cases() {
    List<Arguments> kinds = new ArrayList<>();
    MicroCase vit = MicroCase.all().get(1);
    for (WeightCoding coding : WeightCoding.values()) {
      for (int bits = 4; bits <= 6; bits++) {
        kinds.add(Arguments.of(vit, coding, bits));
      }
    }
    List<MicroCase> others = new ArrayList<>(MicroCase.all());
    others.addAll(MicroCase.families());
    List<Arguments> cases = new ArrayList<>(kinds);
    for (int i = 0; i < others.size(); i++) {
      Object[] kind = kinds.get(i % kinds.size()).get();
      cases.add(Arguments.of(others.get(i), kind[1], kind[2]));
    }
    return cases;
  }

  private static NetworkOptions options(MicroCase c, FloatWeights weights, boolean learned) {
    return new NetworkOptions(
            c.architecture(),
            c.scheme(),
            RealType.FLOAT32,
            3,
            new AdamW(new FixedSchedule(3e-3), 0.05, 0.9, 0.999, 1e-8),
            c.drop(),
            c.weight(),
            2)
        .withGrids(GridPoints.forms(weights.grids(), learned));
  }

  private static FloatWeights weights(MicroCase c, WeightCoding coding, int bits) {
    return GridWeights.of(c.start().weights(), c.architecture(), coding, bits);
  }

  private static TransformerNetwork network(MicroCase c, FloatWeights weights, boolean learned) {
    TransformerNetwork network = TransformerNetwork.build(options(c, weights, learned), POOL);
    network.load(weights);
    network.ranges(c.start().ranges());
    return network;
  }

  private static void train(TransformerNetwork network, TrainingCase start, int steps) {
    network.rangeMode(RangeMode.FROZEN);
    TrainingStep step = new TrainingStep(network, 0);
    for (int i = 0; i < steps; i++) {
      step.run(start.steps().get(i % start.steps().size()).batches());
    }
  }

  private static void assertIdentity(TransformerNetwork network, MicroBatch pictures) {
    float[] pixels = pictures.images().pixels();
    int[] logits = network.integerLogits(pixels, pictures.pictures());
    IntegerGraph graph = network.integerGraph();
    byte[] codes = Quantizer.codes8("pixels", pixels, graph.inputScale());
    for (Engine engine :
        List.of(new ReferenceEngine(graph), new PortableEngine(graph), Engines.open(graph))) {
      try (engine) {
        assertThat(engine.logits(codes, pictures.pictures())).as(engine.name()).isEqualTo(logits);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void trainsAsEnginesCompute(MicroCase c, WeightCoding coding, int bits) {
    TrainingCase start = c.start();
    FloatWeights weights = weights(c, coding, bits);
    TransformerNetwork network = network(c, weights, true);
    MicroBatch pictures = start.steps().get(0).batches().get(0);
    assertIdentity(network, pictures);
    IntegerGraph begun = network.integerGraph();
    assertThat(begun.linears())
        .allSatisfy(linear -> assertThat(linear.codes().grid().bits()).isEqualTo(bits));
    IntegerGraph direct = GraphBuilder.build(c.architecture(), weights, c.scheme(), start.ranges());
    assertSame(begun.linears(), direct.linears());
    train(network, start, 2);
    assertIdentity(network, pictures);
    FloatWeights trained = network.weights();
    weights
        .grids()
        .keySet()
        .forEach(
            name -> {
              assertThat(GridPoints.of(trained, name)).isNotEqualTo(GridPoints.of(weights, name));
              assertThat(trained.get(name)).isNotEqualTo(weights.get(name));
            });
  }

  private static void assertSame(List<Linear> found, List<Linear> expected) {
    for (int i = 0; i < expected.size(); i++) {
      assertThat(found.get(i).weight()).isEqualTo(expected.get(i).weight());
      assertThat(found.get(i).bias()).isEqualTo(expected.get(i).bias());
    }
  }

  @Test
  void gridsStayWhereTheyAreNotLearned() {
    MicroCase c = MicroCase.all().get(0);
    FloatWeights weights = weights(c, WeightCoding.TABLE, 4);
    TransformerNetwork network = network(c, weights, false);
    train(network, c.start(), 2);
    FloatWeights trained = network.weights();
    for (Map.Entry<String, WeightGrid> grid : weights.grids().entrySet()) {
      String name = grid.getKey();
      assertThat(trained.frozenScale(name)).isEqualTo(weights.frozenScale(name));
      assertThat(GridPoints.of(trained, name)).isEqualTo(GridPoints.of(weights, name));
      assertThat(trained.get(name)).isNotEqualTo(weights.get(name));
    }
  }

  @Test
  void areSavedWithTheNetwork(@TempDir Path folder) throws IOException {
    MicroCase c = MicroCase.all().get(0);
    FloatWeights weights = weights(c, WeightCoding.GROUP, 5);
    TransformerNetwork network = network(c, weights, true);
    train(network, c.start(), 2);
    float[] pixels = c.start().steps().get(0).batches().get(0).images().pixels();
    int batch = c.start().steps().get(0).batches().get(0).pictures();
    int[] logits = network.integerLogits(pixels, batch);
    ComputationGraph fromJson =
        new ComputationGraph(
            ComputationGraphConfiguration.fromJson(network.graph().getConfiguration().toJson()));
    fromJson.init(network.graph().params(), true);
    Path file = folder.resolve("network.zip");
    ModelSerializer.writeModel(network.graph(), file.toFile(), true);
    for (ComputationGraph graph :
        List.of(fromJson, ModelSerializer.restoreComputationGraph(file.toFile(), true))) {
      TransformerNetwork again = TransformerNetwork.of(network.options(), graph, POOL);
      assertThat(again.integerLogits(pixels, batch)).isEqualTo(logits);
    }
    TransformerNetwork loaded = network(c, network.weights(), true);
    assertThat(loaded.parameterVector()).isEqualTo(network.parameterVector());
  }

  /** Points get what the gradient of the dequantized weights makes of them. */
  @Test
  void gradientsOfPointsFollowFromThoseOfWeights() {
    MicroCase c = MicroCase.all().get(0);
    FloatWeights weights = weights(c, WeightCoding.UNIFORM, 4);
    TransformerNetwork network = network(c, weights, true);
    new GradientSum(network).run(c.start().steps().get(0).batches());
    float[] gradient = network.gradientVector();
    IntegerGraph graph = network.integerGraph();
    String name = "head.weight";
    float[] scale = weights.frozenScale(name);
    byte[] codes = graph.head().classifiers().get(0).weight();
    int inputs = codes.length / scale.length;
    float[] points = GridPoints.of(weights, name);
    int at = find(network.parameterVector(), points);
    int weightAt = find(network.parameterVector(), weights.get(name));
    for (int o = 0; o < scale.length; o++) {
      double expected = 0;
      boolean clipped = false;
      for (int k = o * inputs; k < (o + 1) * inputs; k++) {
        expected += (double) gradient[weightAt + k] * codes[k];
        clipped |= gradient[weightAt + k] == 0;
      }
      if (!clipped) {
        assertThat((double) gradient[at + o])
            .isCloseTo(expected, within(1e-4 * (1 + Math.abs(expected))));
      }
    }
  }

  private static int find(float[] vector, float[] part) {
    for (int i = 0; i + part.length <= vector.length; i++) {
      if (Arrays.equals(vector, i, i + part.length, part, 0, part.length)) {
        return i;
      }
    }
    throw new AssertionError("not found");
  }

  @Test
  void gridsNeedANetworkOfTheirOwn() {
    MicroCase c = MicroCase.all().get(0);
    FloatWeights weights = weights(c, WeightCoding.UNIFORM, 4);
    TransformerNetwork eight = network(c, c.start().weights(), true);
    assertThatThrownBy(() -> eight.load(weights)).hasMessageContaining("has a grid");
    TransformerNetwork four = network(c, weights, true);
    assertThatThrownBy(() -> four.load(c.start().weights()))
        .hasMessageContaining("found no grid, expected one of fewer than 8 bits");
  }
}
