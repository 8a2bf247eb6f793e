package org.ivit.train.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.util.ModelSerializer;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.core.engine.portable.PortableEngine;
import org.ivit.core.engine.reference.ReferenceEngine;
import org.ivit.core.family.Vit;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.core.scheme.Range;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.memory.RealType;
import org.ivit.train.operator.RangeMode;
import org.ivit.train.step.MicroBatch;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.schedule.FixedSchedule;

/** Weights whose codes were chosen by other means than rounding: w/s exactly, with s frozen. */
class FrozenScalesTest {
  private static final Architecture VIT =
      new Vit("small", 16, 8, 12, 2, 2, 20, 5, 1e-6).architecture();
  private static final int BATCH = 4;
  private static final WorkerPool POOL = new WorkerPool(2);

  @AfterAll
  static void closePool() {
    POOL.close();
  }

  /** A network of random weights, as it was initialised but for biases. */
  private static FloatWeights random() {
    SplittableRandom random = new SplittableRandom(8);
    Map<String, float[]> values = new LinkedHashMap<>();
    TransformerNetwork.build(NetworkOptions.inference(VIT, null), POOL)
        .weights()
        .values()
        .forEach(
            (name, value) -> {
              float[] moved = value.clone();
              for (int i = 0; i < moved.length; i++) {
                moved[i] += (float) (0.1 * random.nextGaussian());
              }
              values.put(name, moved);
            });
    return new FloatWeights(values, Map.of());
  }

  /** Every other matrix frozen, with codes rounded down on a scale that is not the weights' own. */
  private static FloatWeights frozen(FloatWeights weights) {
    Map<String, float[]> values = new LinkedHashMap<>(weights.values());
    Map<String, float[]> scales = new LinkedHashMap<>();
    boolean freeze = false;
    for (Map.Entry<String, long[]> parameter : VIT.parameters().entrySet()) {
      String name = parameter.getKey();
      if (name.endsWith(".weight") && parameter.getValue().length > 1) {
        if (freeze) {
          freeze(name, values, scales, (int) parameter.getValue()[0]);
        }
        freeze = !freeze;
      }
    }
    return new FloatWeights(values, scales);
  }

  private static void freeze(
      String name, Map<String, float[]> values, Map<String, float[]> scales, int outputs) {
    float[] weight = values.get(name).clone();
    float[] scale = new float[outputs];
    int inputs = weight.length / outputs;
    for (int c = 0; c < outputs; c++) {
      float largest = 0;
      for (int k = c * inputs; k < (c + 1) * inputs; k++) {
        largest = Math.max(largest, Math.abs(weight[k]));
      }
      scale[c] = largest / 90;
      for (int k = c * inputs; k < (c + 1) * inputs; k++) {
        weight[k] = (float) Math.floor(weight[k] / scale[c]) * scale[c];
      }
    }
    values.put(name, weight);
    scales.put(name, scale);
  }

  private static TransformerNetwork network(FloatWeights weights) {
    TransformerNetwork network =
        TransformerNetwork.build(
            new NetworkOptions(
                VIT,
                Scheme.EXACT,
                RealType.FLOAT32,
                3,
                new AdamW(new FixedSchedule(1e-3), 0.05, 0.9, 0.999, 1e-8),
                0,
                0,
                1),
            POOL);
    network.load(weights);
    Map<String, Range> ranges = new TreeMap<>();
    for (String node : VIT.nodes().keySet()) {
      ranges.put(node, new Range(-3, 3));
    }
    network.ranges(ranges);
    return network;
  }

  private static float[] pixels() {
    SplittableRandom random = new SplittableRandom(4);
    float[] pixels = new float[BATCH * 3 * 16 * 16];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (float) random.nextGaussian();
    }
    return pixels;
  }

  private static void assertIdentity(TransformerNetwork network) {
    int[] logits = network.integerLogits(pixels(), BATCH);
    IntegerGraph graph = network.integerGraph();
    byte[] codes = Quantizer.codes8("pixels", pixels(), graph.inputScale());
    try (ReferenceEngine reference = new ReferenceEngine(graph);
        PortableEngine cpu = new PortableEngine(graph)) {
      assertThat(reference.logits(codes, BATCH)).isEqualTo(logits);
      assertThat(cpu.logits(codes, BATCH)).isEqualTo(logits);
    }
  }

  @Test
  void networkAndEnginesUseThem() {
    FloatWeights frozen = frozen(random());
    TransformerNetwork network = network(frozen);
    assertIdentity(network);
    assertThat(network.integerLogits(pixels(), BATCH))
        .isNotEqualTo(
            network(new FloatWeights(frozen.values(), Map.of())).integerLogits(pixels(), BATCH));
    byte[] codes = network.integerGraph().head().classifiers().get(0).weight();
    float[] weight = frozen.get("head.weight");
    float[] scale = frozen.frozenScale("head.weight");
    for (int i = 0; i < codes.length; i++) {
      assertThat(codes[i] * scale[i / VIT.head().dim()]).isEqualTo(weight[i]);
    }
  }

  @Test
  void trainingLeavesThemAsTheyAre() {
    FloatWeights frozen = frozen(random());
    TransformerNetwork network = network(frozen);
    network.rangeMode(RangeMode.LAGGED);
    float[] targets = new float[BATCH * VIT.classes()];
    for (int n = 0; n < BATCH; n++) {
      targets[n * VIT.classes() + n] = 1;
    }
    TrainingStep step = new TrainingStep(network, 0);
    for (int i = 0; i < 3; i++) {
      step.run(List.of(new MicroBatch(pixels(), targets, BATCH, new long[BATCH])));
    }
    assertThat(network.weights().get("head.weight")).isNotEqualTo(frozen.get("head.weight"));
    assertSameScales(network.weights(), frozen);
    assertIdentity(network);
    TransformerNetwork plain = network(random());
    assertThat(network.updaterState()).hasSameSizeAs(plain.updaterState());
    network.load(random());
    assertThat(network.weights().scales()).isEmpty();
  }

  private static void assertSameScales(FloatWeights found, FloatWeights expected) {
    assertThat(found.scales()).containsOnlyKeys(expected.scales().keySet());
    expected.scales().forEach((name, s) -> assertThat(found.frozenScale(name)).isEqualTo(s));
  }

  @Test
  void areSavedWithTheNetwork(@TempDir Path folder) throws IOException {
    FloatWeights frozen = frozen(random());
    TransformerNetwork network = network(frozen);
    int[] logits = network.integerLogits(pixels(), BATCH);
    ComputationGraph fromJson =
        new ComputationGraph(
            ComputationGraphConfiguration.fromJson(network.graph().getConfiguration().toJson()));
    fromJson.init(network.graph().params(), true);
    Path file = folder.resolve("network.zip");
    ModelSerializer.writeModel(network.graph(), file.toFile(), true);
    for (ComputationGraph graph :
        List.of(fromJson, ModelSerializer.restoreComputationGraph(file.toFile(), true))) {
      TransformerNetwork again = TransformerNetwork.of(network.options(), graph, POOL);
      assertThat(again.integerLogits(pixels(), BATCH)).isEqualTo(logits);
      assertSameScales(again.weights(), frozen);
    }
  }

  @Test
  void refusesAnotherNumberOfScales() {
    Map<String, float[]> scales = Map.of("head.weight", new float[] {1, 1});
    FloatWeights weights = new FloatWeights(random().values(), scales);
    assertThatThrownBy(() -> network(weights))
        .isInstanceOf(InputException.class)
        .hasMessage("head.weight_scale: found 2 numbers, expected 5");
  }
}
