package org.ivit.core.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.family.Architectures;
import org.ivit.core.pretrained.WeightCheck;
import org.ivit.core.pretrained.WeightSearch;
import org.ivit.core.testing.Shared;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The same weights in every form in which people have them. */
class GoldenCheckpointsTest {
  private static TensorFile read(String name, String model) {
    TensorFile expected = Shared.tensors("golden/" + model + "/weights.safetensors");
    Architecture architecture = Architectures.parse(expected.metadata().get("architecture"));
    return new WeightSearch(
            architecture,
            null,
            line -> {
              throw new AssertionError(line);
            })
        .find(Shared.path("golden/checkpoints/" + name));
  }

  private static void assertSame(TensorFile read, TensorFile expected) {
    WeightCheck.check(read, Architectures.parse(expected.metadata().get("architecture")));
    assertThat(read.tensors()).containsExactlyInAnyOrderEntriesOf(expected.tensors());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "micro_vit.pth",
        "micro_vit_legacy.pth",
        "micro_vit_nested.pth",
        "micro_vit_shared_storage.pth",
        "micro_vit_augreg.npz",
        "micro_vit_augreg_deflated.npz",
        "micro_vit_hf.safetensors"
      })
  void vit(String name) {
    assertSame(read(name, "micro_vit"), Shared.tensors("golden/micro_vit/weights.safetensors"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"micro_swin_release.pth", "micro_swin_hf.safetensors"})
  void swin(String name) {
    assertSame(read(name, "micro_swin"), Shared.tensors("golden/micro_swin/weights.safetensors"));
  }

  @Test
  void f16IsTheNearest() {
    Map<String, Tensor> exact = Shared.tensors("golden/micro_vit/weights.safetensors").tensors();
    Map<String, Tensor> read = read("micro_vit_f16.safetensors", "micro_vit").tensors();
    assertThat(read.keySet()).isEqualTo(exact.keySet());
    read.forEach(
        (name, tensor) -> {
          assertThat(tensor.dtype()).isEqualTo(DType.F16);
          float[] values = tensor.floats();
          float[] wanted = exact.get(name).floats();
          for (int i = 0; i < values.length; i++) {
            short bits = tensor.buffer().getShort(2 * i);
            double error = Math.abs((double) values[i] - wanted[i]);
            for (int step : new int[] {-1, 1}) {
              double other = HalfPrecision.fromF16((short) (bits + step));
              assertThat(Math.abs(other - wanted[i]))
                  .as("%s[%d]", name, i)
                  .isGreaterThanOrEqualTo(error);
            }
          }
        });
  }

  /** The golden file was made by cutting the lower half of each float32. */
  @Test
  void bf16IsTheUpperHalf() {
    Map<String, Tensor> exact = Shared.tensors("golden/micro_vit/weights.safetensors").tensors();
    Map<String, Tensor> read = read("micro_vit_bf16.safetensors", "micro_vit").tensors();
    assertThat(read.keySet()).isEqualTo(exact.keySet());
    read.forEach(
        (name, tensor) -> {
          assertThat(tensor.dtype()).isEqualTo(DType.BF16);
          float[] values = tensor.floats();
          float[] wanted = exact.get(name).floats();
          for (int i = 0; i < values.length; i++) {
            int upper = Float.floatToRawIntBits(wanted[i]) & 0xffff0000;
            assertThat(Float.floatToRawIntBits(values[i])).as("%s[%d]", name, i).isEqualTo(upper);
          }
        });
  }
}
