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
import java.util.Map;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.scheme.Scheme;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** {@link LargeProduct} under ONNX Runtime, and its bytes. */
class QdqSaturationTest {
  @Test
  void theCodesPassSixteenBits() {
    int[] weights = LargeProduct.weights();
    int least = 2 * (100 + 128) * 100;
    assertThat(least).isGreaterThan(Short.MAX_VALUE);
    assertThat(Arrays.stream(weights).map(Math::abs)).allMatch(code -> code >= 100);
    assertThat(Arrays.stream(LargeProduct.pixels())).allMatch(code -> code >= 100);
  }

  @Test
  void unsignedWeightsGiveTheExactProductOnEveryProcessor() throws OrtException {
    assertThat(LargeProduct.answer(QdqWeights.UNSIGNED)).isEqualTo(LargeProduct.expected());
  }

  @Test
  void signedWeightsGiveItWithVnni() throws OrtException, IOException {
    Path processor = Path.of("/proc/cpuinfo");
    Assumptions.assumeTrue(
        Files.exists(processor) && Files.readString(processor).contains("vnni"),
        "no processor that is known to have VNNI");
    assertThat(LargeProduct.answer(QdqWeights.SIGNED)).isEqualTo(LargeProduct.expected());
  }

  @Test
  void theBytesOfBothForms() {
    int[] codes = LargeProduct.weights();
    OutlierChannels apart = new OutlierChannels(new int[] {3}, 1);
    Scheme scheme = Scheme.EXACT.withOutliers(Map.of(LargeProduct.FROM, apart));
    for (QdqWeights form : QdqWeights.values()) {
      boolean signed = form == QdqWeights.SIGNED;
      int zero = signed ? 0 : 128;
      ModelProto model = LargeProduct.model(form, scheme);
      TensorProto weight = constant(model, LargeProduct.NAME + ".weight");
      TensorProto zeros = constant(model, LargeProduct.NAME + ".weight_zero");
      DataType type = signed ? DataType.INT8 : DataType.UINT8;
      assertThat(weight.getDataType()).isEqualTo(type.getNumber());
      assertThat(zeros.getDataType()).isEqualTo(type.getNumber());
      assertThat(zeros.getDimsList()).containsExactly((long) LargeProduct.DIM);
      byte[] all = new byte[LargeProduct.DIM];
      Arrays.fill(all, (byte) zero);
      assertThat(zeros.getRawData().toByteArray()).isEqualTo(all);
      byte[] bytes = weight.getRawData().toByteArray();
      for (int i = 0; i < codes.length; i++) {
        int c = i / LargeProduct.INPUTS;
        int k = i % LargeProduct.INPUTS;
        int expected = (k == 3 ? 0 : codes[i]) + zero;
        assertThat(bytes[k * LargeProduct.DIM + c])
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
