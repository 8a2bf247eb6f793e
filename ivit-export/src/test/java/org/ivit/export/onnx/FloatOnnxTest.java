package org.ivit.export.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnxruntime.OrtException;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.checkpoint.Provenance;
import org.ivit.core.family.Swin;
import org.ivit.core.family.Vit;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.image.Preprocess;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.core.testing.GoldenModel;
import org.ivit.core.testing.ObservedModel;
import org.ivit.train.network.NetworkOptions;
import org.ivit.train.network.TransformerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The float format gives our float network's logits under ONNX Runtime. */
class FloatOnnxTest {
  static OnnxDescription description(Architecture architecture) {
    return new OnnxDescription(
        Preprocess.half(architecture.image().side(), architecture.image()),
        List.of(),
        Provenance.UNKNOWN);
  }

  private static void assertSame(
      Architecture architecture, FloatWeights weights, float[] pixels, int pictures)
      throws OrtException {
    TransformerNetwork network =
        TransformerNetwork.build(NetworkOptions.inference(architecture, null), WorkerPool.shared());
    network.load(weights);
    double[] expected = network.logits(pixels, pictures);
    ModelProto model = OnnxExport.floating(architecture, weights, description(architecture));
    int picture = architecture.pixels();
    try (Ort ort = new Ort(model, architecture.image().side())) {
      for (int batch : new int[] {pictures, 1}) {
        float[] found = ort.logits(Arrays.copyOf(pixels, batch * picture), batch);
        assertThat(found).hasSize(batch * architecture.classes());
        for (int i = 0; i < found.length; i++) {
          assertThat((double) found[i]).isCloseTo(expected[i], within(1e-4));
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"micro_vit", "micro_swin", "micro_swin_window7"})
  void goldenModel(String name) throws OrtException {
    GoldenModel model = new GoldenModel(name);
    assertSame(model.architecture(), model.weights(), model.evalPixels(), model.pictures());
  }

  @Test
  void randomVit() throws OrtException {
    random(new Vit("small", 12, 4, 12, 2, 3, 20, 5, 1e-6).architecture());
  }

  @Test
  void randomDistilledVit() throws OrtException {
    random(new Vit("small", 12, 4, 12, 2, 3, 20, 5, 1e-6, true).architecture());
  }

  @Test
  void randomVitWithRegisters() throws OrtException {
    random(new Vit("small", 12, 4, 12, 2, 3, 20, 5, 1e-6, false, 4).architecture());
  }

  @Test
  void randomSwinWithShiftedWindows() throws OrtException {
    random(new Swin("small", 24, 2, 3, 8, List.of(2, 2), List.of(2, 4), 3, 1e-5).architecture());
  }

  private static void random(Architecture architecture) throws OrtException {
    Random random = new Random(5);
    float[] pixels = new float[3 * architecture.pixels()];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (float) random.nextGaussian();
    }
    assertSame(architecture, ObservedModel.weights(architecture, random), pixels, 3);
  }
}
