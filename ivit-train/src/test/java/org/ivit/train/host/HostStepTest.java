package org.ivit.train.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.ivit.core.family.Architectures;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.core.scheme.Range;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.gpu.MicroCase;
import org.ivit.train.gpu.TrainingCase;
import org.ivit.train.memory.AdamKernel;
import org.ivit.train.memory.RealType;
import org.ivit.train.memory.Reals;
import org.ivit.train.network.AdamW;
import org.ivit.train.network.NetworkOptions;
import org.ivit.train.network.TrainingStep;
import org.ivit.train.network.TransformerNetwork;
import org.ivit.train.operator.Loss;
import org.ivit.train.operator.RangeMode;
import org.ivit.train.step.AdamSettings;
import org.ivit.train.step.MicroBatch;
import org.ivit.train.step.StepResult;
import org.ivit.train.step.StepSettings;
import org.ivit.train.step.StepVector;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.schedule.FixedSchedule;

/** Steps without Deeplearning4j, beside its own. */
class HostStepTest {
  private static final WorkerPool POOL = new WorkerPool(2);
  private static final double RATE = 1e-3;
  private static final double DECAY = 0.05;

  static List<MicroCase> cases() {
    List<MicroCase> cases = new ArrayList<>(MicroCase.all());
    cases.addAll(MicroCase.wide());
    // A projection's logits are a feature, and its targets are a teacher's.
    cases.add(
        new MicroCase(
            "features",
            Architectures.parse(
                "{\"kind\":\"vit\",\"image\":12,\"patch\":4,\"dim\":18,\"depth\":2,\"heads\":2,"
                    + "\"hidden\":41,\"classes\":5,\"projection\":true}"),
            Scheme.EXACT,
            0.4,
            0));
    cases.addAll(MicroCase.families());
    return cases;
  }

  private static TransformerNetwork network(MicroCase c) {
    AdamW optimizer = new AdamW(new FixedSchedule(RATE), DECAY, 0.9, 0.999, 1e-8);
    return TransformerNetwork.build(
        new NetworkOptions(
            c.architecture(), c.scheme(), RealType.FLOAT32, 3, optimizer, c.drop(), c.weight(), 2),
        POOL);
  }

  private static HostStep host(MicroCase c, TrainingCase start) {
    Loss loss = Loss.of(c.architecture(), c.weight(), 2);
    HostStep host =
        new HostStep(c.architecture(), c.scheme(), new StepSettings(c.drop(), loss, 0.5), POOL);
    host.parameters().load(start.weights());
    host.parameters().ranges(start.ranges());
    return host;
  }

  @ParameterizedTest
  @MethodSource("cases")
  void stepsAsDeeplearning4jDoes(MicroCase c) {
    TrainingCase start = c.start();
    TransformerNetwork network = network(c);
    network.load(start.weights());
    network.ranges(start.ranges());
    network.rangeMode(RangeMode.LAGGED);
    HostStep host = host(c, start);
    assertThat(host.parameters().vector().floats()).isEqualTo(network.parameterVector());
    TrainingStep judge = new TrainingStep(network, 1);
    for (int step = 0; step < 3; step++) {
      List<MicroBatch> batches = start.steps().get(step % 2).batches();
      StepResult expected = judge.run(batches);
      StepResult found =
          host.run(batches, true, new AdamSettings(RATE, DECAY, 0.9, 0.999, 1e-8, step, 1));
      assertThat(found.seen()).isEqualTo(expected.seen());
      assertThat(found.loss()).isCloseTo(expected.loss(), within(1e-12));
      assertThat(found.gradientNorm()).isEqualTo(expected.gradientNorm());
      checkMoved(host.parameters().vector(), network.parameterVector());
      network.ranges(all(start, found));
      host.parameters()
          .vector()
          .put(0, network.parameterVector(), 0, network.parameterVector().length);
    }
  }

  /** To the bit, unless ND4J's own Adam ran, which rounds otherwise. */
  private static void checkMoved(Reals found, float[] expected) {
    double most = AdamKernel.serves(found) ? 0 : 1e-6;
    int differences = 0;
    for (int i = 0; i < expected.length; i++) {
      differences += Math.abs(found.get(i) - expected[i]) <= most ? 0 : 1;
    }
    assertThat(differences).isZero();
  }

  private static Map<String, Range> all(TrainingCase start, StepResult result) {
    Map<String, Range> ranges = new java.util.TreeMap<>(start.ranges());
    ranges.putAll(result.seen());
    return ranges;
  }

  @Test
  void keepsAverageAndNames() {
    MicroCase c = MicroCase.all().get(0);
    TrainingCase start = c.start();
    HostStep host = host(c, start);
    assertThat(host.parameters().ranges()).isEqualTo(start.ranges());
    FloatWeights before = host.parameters().weights();
    start.weights().values().forEach((k, v) -> assertThat(before.get(k)).as(k).isEqualTo(v));
    host.vector(StepVector.AVERAGE)
        .put(0, host.parameters().vector().floats(), 0, host.parameters().vector().size());
    host.run(
        start.steps().get(0).batches(), false, new AdamSettings(RATE, 0, 0.9, 0.999, 1e-8, 0, 0));
    String name = "blocks.0.attn.qkv.weight";
    float[] moved = host.parameters().weights().get(name);
    assertThat(moved).isNotEqualTo(before.get(name));
    FlatParameters average = new FlatParameters(c.architecture(), c.scheme());
    average.vector().put(0, host.vector(StepVector.AVERAGE).floats(), 0, average.vector().size());
    for (int i = 0; i < moved.length; i++) {
      float expected = 0.5f * before.get(name)[i] + (1 - 0.5f) * moved[i];
      assertThat(average.weights().get(name)[i]).isEqualTo(expected);
    }
  }
}
