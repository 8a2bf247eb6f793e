package org.ivit.train.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
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
import org.ivit.core.checkpoint.CheckpointFile;
import org.ivit.core.checkpoint.IntegerCheckpoint;
import org.ivit.core.checkpoint.Provenance;
import org.ivit.core.engine.Engine;
import org.ivit.core.engine.choice.Engines;
import org.ivit.core.engine.portable.PortableEngine;
import org.ivit.core.engine.portable.PortableMatrixProducts;
import org.ivit.core.engine.reference.ReferenceEngine;
import org.ivit.core.family.Vit;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.image.Preprocess;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.core.scheme.Scheme;
import org.ivit.core.testing.ObservedModel;
import org.ivit.train.memory.RealType;
import org.ivit.train.operator.RangeMode;
import org.ivit.train.step.MicroBatch;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.schedule.FixedSchedule;

/** A ViT with four register tokens. */
class RegisterNetworkTest {
  private static final int DIM = 10;
  private static final int REGISTERS = 4;
  private static final Architecture VIT =
      new Vit("r", 12, 4, DIM, 2, 2, 14, 3, 1e-6, false, REGISTERS).architecture();
  private static final int PICTURES = 3;
  private static final WorkerPool POOL = new WorkerPool(2);

  @AfterAll
  static void closePool() {
    POOL.close();
  }

  private static float[] pixels() {
    Random random = new Random(5);
    float[] pixels = new float[PICTURES * VIT.pixels()];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (float) random.nextGaussian();
    }
    return pixels;
  }

  private static FloatWeights weights() {
    return ObservedModel.weights(VIT, new Random(4));
  }

  private static double[] floatLogits(Map<String, float[]> weights) {
    TransformerNetwork network =
        TransformerNetwork.build(
            NetworkOptions.inference(VIT, null).withType(RealType.FLOAT64), POOL);
    network.load(new FloatWeights(weights, Map.of()));
    return network.logits(pixels(), PICTURES);
  }

  private static float[] swapped(float[] rows, int a, int b) {
    float[] swapped = rows.clone();
    System.arraycopy(rows, a * DIM, swapped, b * DIM, DIM);
    System.arraycopy(rows, b * DIM, swapped, a * DIM, DIM);
    return swapped;
  }

  /** Attention knows no order: registers may change places, with their positions. */
  @Test
  void registersAreAlike() {
    Map<String, float[]> weights = new HashMap<>(weights().values());
    double[] expected = floatLogits(weights);
    Map<String, float[]> changed = new HashMap<>(weights);
    changed.put("reg_token", swapped(weights.get("reg_token"), 1, 3));
    changed.put("pos_embed", swapped(weights.get("pos_embed"), 1 + 1, 1 + 3));
    double[] found = floatLogits(changed);
    for (int i = 0; i < expected.length; i++) {
      assertThat(found[i]).isCloseTo(expected[i], within(1e-9));
    }
    changed.put("pos_embed", weights.get("pos_embed"));
    assertThat(floatLogits(changed)).isNotEqualTo(expected);
  }

  @Test
  void trainingCalibrationCheckpointAndEnginesComputeTheSameIntegers(@TempDir Path folder) {
    TreeMap<String, OutlierChannels> outliers = new TreeMap<>();
    outliers.put("norm", new OutlierChannels(new int[] {2, 7}, 2));
    Scheme scheme = new Scheme(GeluForm.ASYMMETRIC, SoftmaxForm.EXACT, 16, outliers);
    AdamW optimizer = new AdamW(new FixedSchedule(1e-3), 0.05, 0.9, 0.999, 1e-8);
    TransformerNetwork network =
        TransformerNetwork.build(
            new NetworkOptions(VIT, scheme, RealType.FLOAT32, 1, optimizer, 0.1, 0, 1), POOL);
    FloatWeights weights = weights();
    network.load(weights);
    float[] pixels = pixels();
    ObservingForward calibration =
        new ObservingForward(
            VIT, weights, scheme, new PortableMatrixProducts(), new PublishedObserver());
    int[] observed = calibration.run(pixels, PICTURES);
    network.ranges(calibration.ranges());
    network.rangeMode(RangeMode.LAGGED);
    assertThat(network.integerLogits(pixels, PICTURES)).isEqualTo(observed);
    assertThat(engines(network.integerGraph(), pixels)).isEqualTo(observed);
    Path file = folder.resolve("registers.ivit.safetensors");
    CheckpointFile.write(
        file,
        new IntegerCheckpoint(
            network.integerGraph(),
            Preprocess.half(12, 12),
            List.of("a", "b", "c"),
            Provenance.UNKNOWN));
    assertThat(engines(CheckpointFile.read(file).graph(), pixels)).isEqualTo(observed);

    float[] targets = new float[PICTURES * 3];
    for (int i = 0; i < PICTURES; i++) {
      targets[i * 3 + i] = 1;
    }
    MicroBatch batch = new MicroBatch(pixels, targets, PICTURES, new long[PICTURES]);
    new TrainingStep(network, 1).run(List.of(batch));
    assertThat(network.weights().get("reg_token")).isNotEqualTo(weights.get("reg_token"));
    assertThat(network.integerLogits(pixels, PICTURES))
        .isEqualTo(engines(network.integerGraph(), pixels));
  }

  /** Reference, portable Java and the fastest of this processor. */
  private static int[] engines(IntegerGraph graph, float[] pixels) {
    byte[] codes = Quantizer.codes8("pixels", pixels, graph.inputScale());
    try (Engine reference = new ReferenceEngine(graph);
        Engine portable = new PortableEngine(graph);
        Engine fastest = Engines.open(graph)) {
      int[] logits = reference.logits(codes, PICTURES);
      assertThat(portable.logits(codes, PICTURES)).isEqualTo(logits);
      assertThat(fastest.logits(codes, PICTURES)).isEqualTo(logits);
      return logits;
    }
  }
}
