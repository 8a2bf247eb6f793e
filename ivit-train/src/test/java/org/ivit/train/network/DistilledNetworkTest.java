package org.ivit.train.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.core.arithmetic.SoftmaxForm;
import org.ivit.core.calibration.ObservingForward;
import org.ivit.core.calibration.PublishedObserver;
import org.ivit.core.engine.portable.PortableEngine;
import org.ivit.core.engine.portable.PortableMatrixProducts;
import org.ivit.core.engine.reference.ReferenceEngine;
import org.ivit.core.family.Vit;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.core.scheme.Scheme;
import org.ivit.core.testing.ObservedModel;
import org.ivit.train.memory.RealType;
import org.ivit.train.operator.RangeMode;
import org.ivit.train.step.MicroBatch;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.schedule.FixedSchedule;

/** A DeiT with a distillation token and its head. */
class DistilledNetworkTest {
  private static final Architecture DISTILLED =
      new Vit("d", 12, 4, 10, 2, 2, 14, 3, 1e-6, true).architecture();
  private static final Architecture PLAIN =
      new Vit("p", 12, 4, 10, 2, 2, 14, 3, 1e-6).architecture();
  private static final int PICTURES = 3;
  private static final WorkerPool POOL = new WorkerPool(2);

  @AfterAll
  static void closePool() {
    POOL.close();
  }

  private static float[] pixels() {
    Random random = new Random(5);
    float[] pixels = new float[PICTURES * 3 * 12 * 12];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (float) random.nextGaussian();
    }
    return pixels;
  }

  private static FloatWeights weights() {
    return ObservedModel.weights(DISTILLED, new Random(4));
  }

  private static double[] floatLogits(Architecture vit, Map<String, float[]> weights) {
    TransformerNetwork network =
        TransformerNetwork.build(
            NetworkOptions.inference(vit, null).withType(RealType.FLOAT64), POOL);
    network.load(new FloatWeights(weights, Map.of()));
    return network.logits(pixels(), PICTURES);
  }

  @Test
  void hasTheParametersOfTimm() {
    assertThat(DISTILLED.parameters().keySet())
        .startsWith("cls_token", "pos_embed", "dist_token", "patch_embed.proj.weight")
        .endsWith("head.weight", "head.bias", "head_dist.weight", "head_dist.bias");
    assertThat(DISTILLED.parameters().get("pos_embed")).containsExactly(1, 11, 10);
  }

  /** Attention knows no order, so a token may change places with its position and its head. */
  @Test
  void theTwoTokensAreAlike() {
    Map<String, float[]> weights = new HashMap<>(weights().values());
    Map<String, float[]> swapped = new HashMap<>(weights);
    swapped.put("cls_token", weights.get("dist_token"));
    swapped.put("dist_token", weights.get("cls_token"));
    for (String part : List.of(".weight", ".bias")) {
      swapped.put("head" + part, weights.get("head_dist" + part));
      swapped.put("head_dist" + part, weights.get("head" + part));
    }
    float[] position = weights.get("pos_embed").clone();
    System.arraycopy(weights.get("pos_embed"), 0, position, 10, 10);
    System.arraycopy(weights.get("pos_embed"), 10, position, 0, 10);
    swapped.put("pos_embed", position);
    double[] expected = floatLogits(DISTILLED, weights);
    double[] found = floatLogits(DISTILLED, swapped);
    for (int i = 0; i < expected.length; i++) {
      assertThat(found[i]).isCloseTo(expected[i], within(1e-9));
    }
  }

  /** A second token that no one attends to leaves the plain model, and half of its logits. */
  @Test
  void halfOfThePlainModelWithoutTheSecond() {
    Map<String, float[]> weights = new HashMap<>(weights().values());
    for (int block = 0; block < 2; block++) {
      // Without values and with equal keys a token adds nothing but its share of the softmax.
      float[] proj = weights.get("blocks." + block + ".attn.proj.weight").clone();
      Arrays.fill(proj, 0);
      weights.put("blocks." + block + ".attn.proj.weight", proj);
    }
    weights.put("head_dist.weight", new float[30]);
    weights.put("head_dist.bias", new float[3]);
    Map<String, float[]> plain = new HashMap<>(weights);
    plain.keySet().removeIf(name -> name.contains("dist"));
    float[] position = weights.get("pos_embed");
    float[] without = new float[position.length - 10];
    System.arraycopy(position, 0, without, 0, 10);
    System.arraycopy(position, 20, without, 10, without.length - 10);
    plain.put("pos_embed", without);
    double[] expected = floatLogits(PLAIN, plain);
    double[] found = floatLogits(DISTILLED, weights);
    for (int i = 0; i < expected.length; i++) {
      assertThat(found[i]).isCloseTo(expected[i] / 2, within(1e-9));
    }
  }

  @ParameterizedTest
  @EnumSource(GeluForm.class)
  void trainingEnginesAndCalibrationComputeTheSameIntegers(GeluForm gelu) {
    TreeMap<String, OutlierChannels> outliers = new TreeMap<>();
    outliers.put("norm", new OutlierChannels(new int[] {2, 7}, 2));
    Scheme scheme = new Scheme(gelu, SoftmaxForm.EXACT, 16, outliers);
    AdamW optimizer = new AdamW(new FixedSchedule(1e-3), 0.05, 0.9, 0.999, 1e-8);
    TransformerNetwork network =
        TransformerNetwork.build(
            new NetworkOptions(DISTILLED, scheme, RealType.FLOAT32, 1, optimizer, 0.1, 0, 1), POOL);
    FloatWeights weights = weights();
    network.load(weights);
    float[] pixels = pixels();
    ObservingForward calibration =
        new ObservingForward(
            DISTILLED, weights, scheme, new PortableMatrixProducts(), new PublishedObserver());
    int[] observed = calibration.run(pixels, PICTURES);
    network.ranges(calibration.ranges());
    network.rangeMode(RangeMode.LAGGED);
    assertThat(network.integerLogits(pixels, PICTURES)).isEqualTo(observed);
    assertThat(engines(network, pixels)).isEqualTo(observed);
    assertThat(network.logitScale()).isEqualTo(network.integerGraph().logitScale());
    double[] dequantized = network.logits(pixels, PICTURES);
    for (int i = 0; i < observed.length; i++) {
      assertThat(dequantized[i])
          .isCloseTo(observed[i] * (double) network.logitScale(), within(1e-5));
    }

    float[] targets = new float[PICTURES * 3];
    for (int i = 0; i < PICTURES; i++) {
      targets[i * 3 + i] = 1;
    }
    MicroBatch batch = new MicroBatch(pixels, targets, PICTURES, new long[PICTURES]);
    new TrainingStep(network, 1).run(List.of(batch));
    assertThat(network.weights().get("head_dist.weight"))
        .isNotEqualTo(weights.get("head_dist.weight"));
    assertThat(network.weights().get("dist_token")).isNotEqualTo(weights.get("dist_token"));
    assertThat(network.integerLogits(pixels, PICTURES)).isEqualTo(engines(network, pixels));
  }

  private static int[] engines(TransformerNetwork network, float[] pixels) {
    IntegerGraph graph = network.integerGraph();
    byte[] codes = Quantizer.codes8("pixels", pixels, graph.inputScale());
    try (ReferenceEngine reference = new ReferenceEngine(graph);
        PortableEngine cpu = new PortableEngine(graph)) {
      int[] logits = reference.logits(codes, PICTURES);
      assertThat(cpu.logits(codes, PICTURES)).isEqualTo(logits);
      return logits;
    }
  }
}
