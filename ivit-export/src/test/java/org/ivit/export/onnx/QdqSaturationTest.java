package org.ivit.export.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnxruntime.OrtException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.LinearSpec;
import org.ivit.core.architecture.Stem;
import org.ivit.core.architecture.Vit;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.scheme.Scheme;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/**
 * One product of large codes. Two products of an unsigned and a signed byte pass 16 bits, so a
 * kernel that adds them there ({@code vpmaddubsw}, which ONNX Runtime takes for signed weights
 * where there is no VNNI) gives another answer.
 */
class QdqSaturationTest {
  private static final Architecture VIT =
      new Vit("small", 8, 4, 16, 1, 2, 32, 5, 1e-6).architecture();
  private static final int DIM = 16;
  private static final int INPUTS = 3 * 4 * 4;
  private static final int PIXELS = 3 * 8 * 8;
  private static final float INPUT_SCALE = 1 / 128f;
  private static final String FROM = "blocks.0.norm1";
  private static final String NAME = Stem.PROJECTION;

  /** The projection's weights behind a node that may have outlier channels. */
  private static final LinearSpec LAYER =
      new LinearSpec(
          NAME, VIT.stem().projection().node(), VIT.nodes().get(FROM), INPUTS, DIM, true);

  /** Powers of two, so that every number of the test is exact in float32. */
  private static final float WEIGHT_SCALE = 1 / 256f;

  private static int[] codes(int count, int least, long seed) {
    Random random = new Random(seed);
    return random.ints(count, least, 128).toArray();
  }

  /** Codes of weights from 100 to 127, positive in half of the channels, negative in the others. */
  private static int[] weights() {
    int[] codes = codes(DIM * INPUTS, 100, 1);
    for (int i = 0; i < codes.length; i++) {
      codes[i] = i / INPUTS % 2 == 0 ? codes[i] : -codes[i];
    }
    return codes;
  }

  private static ModelProto model(QdqWeights form, Scheme scheme) {
    int[] codes = weights();
    float[] weight = new float[codes.length];
    for (int i = 0; i < codes.length; i++) {
      weight[i] = codes[i] * WEIGHT_SCALE;
    }
    float[] scale = new float[DIM];
    Arrays.fill(scale, WEIGHT_SCALE);
    FloatWeights weights =
        new FloatWeights(
            Map.of(NAME + ".weight", weight, NAME + ".bias", new float[DIM]),
            Map.of(NAME + ".weight", scale));
    OnnxGraph graph = new OnnxGraph("product");
    graph.input(FloatGraph.PIXELS, DataType.FLOAT, 3, VIT.image(), VIT.image());
    QdqProducts products = new QdqProducts(graph, weights, scheme, Map.of(FROM, INPUT_SCALE), form);
    String rows =
        new Tokens(graph).unfold(FloatGraph.PIXELS, "rows", VIT.image(), VIT.stem().patch());
    String product = products.linear(LAYER, rows);
    graph.node("Identity", FloatGraph.LOGITS, List.of(product));
    graph.output(FloatGraph.LOGITS, DataType.FLOAT, DIM);
    return graph.model("test", Map.of());
  }

  /** Codes of pixels that are unsigned bytes of 228 to 255. */
  private static int[] pixels() {
    return codes(PIXELS, 100, 2);
  }

  private static float[] answer(QdqWeights form) throws OrtException {
    int[] codes = pixels();
    float[] pixels = new float[codes.length];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = codes[i] * INPUT_SCALE;
    }
    try (Ort ort = new Ort(model(form, Scheme.EXACT), VIT.image())) {
      return ort.logits(pixels, 1);
    }
  }

  /** [patch][channel], in integers. */
  private static float[] expected() {
    int[] pixels = pixels();
    int[] weights = weights();
    float[] expected = new float[4 * DIM];
    for (int patch = 0; patch < 4; patch++) {
      for (int c = 0; c < DIM; c++) {
        int sum = 0;
        for (int k = 0; k < INPUTS; k++) {
          int row = patch / 2 * 4 + k / 4 % 4;
          int column = patch % 2 * 4 + k % 4;
          sum += weights[c * INPUTS + k] * pixels[(k / 16 * 8 + row) * 8 + column];
        }
        expected[patch * DIM + c] = sum * WEIGHT_SCALE * INPUT_SCALE;
      }
    }
    return expected;
  }

  @Test
  void theCodesPassSixteenBits() {
    int[] weights = weights();
    int least = 2 * (100 + 128) * 100;
    assertThat(least).isGreaterThan(Short.MAX_VALUE);
    assertThat(Arrays.stream(weights).map(Math::abs)).allMatch(code -> code >= 100);
    assertThat(Arrays.stream(pixels())).allMatch(code -> code >= 100);
  }

  @Test
  void unsignedWeightsGiveTheExactProductOnEveryProcessor() throws OrtException {
    assertThat(answer(QdqWeights.UNSIGNED)).isEqualTo(expected());
  }

  @Test
  void signedWeightsGiveItWithVnni() throws OrtException, IOException {
    Path processor = Path.of("/proc/cpuinfo");
    Assumptions.assumeTrue(
        Files.exists(processor) && Files.readString(processor).contains("vnni"),
        "no processor that is known to have VNNI");
    assertThat(answer(QdqWeights.SIGNED)).isEqualTo(expected());
  }

  @Test
  void theBytesOfBothForms() {
    int[] codes = weights();
    OutlierChannels apart = new OutlierChannels(new int[] {3}, 1);
    Scheme scheme = Scheme.EXACT.withOutliers(Map.of(FROM, apart));
    for (QdqWeights form : QdqWeights.values()) {
      boolean signed = form == QdqWeights.SIGNED;
      int zero = signed ? 0 : 128;
      ModelProto model = model(form, scheme);
      TensorProto weight = constant(model, NAME + ".weight");
      TensorProto zeros = constant(model, NAME + ".weight_zero");
      DataType type = signed ? DataType.INT8 : DataType.UINT8;
      assertThat(weight.getDataType()).isEqualTo(type.getNumber());
      assertThat(zeros.getDataType()).isEqualTo(type.getNumber());
      assertThat(zeros.getDimsList()).containsExactly((long) DIM);
      byte[] all = new byte[DIM];
      Arrays.fill(all, (byte) zero);
      assertThat(zeros.getRawData().toByteArray()).isEqualTo(all);
      byte[] bytes = weight.getRawData().toByteArray();
      for (int i = 0; i < codes.length; i++) {
        int c = i / INPUTS;
        int k = i % INPUTS;
        int expected = (k == 3 ? 0 : codes[i]) + zero;
        assertThat(bytes[k * DIM + c])
            .as("%s, input %d, channel %d", form, k, c)
            .isEqualTo((byte) expected);
      }
    }
  }

  private static TensorProto constant(ModelProto model, String name) {
    return model.getGraph().getInitializerList().stream()
        .filter(tensor -> tensor.getName().equals(name))
        .findFirst()
        .orElseThrow();
  }
}
