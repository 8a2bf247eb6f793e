package org.ivit.core.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.regex.Pattern;
import org.ivit.core.InputException;
import org.junit.jupiter.api.Test;

/** The engine's kernels hold integers only. */
class KernelImagesTest extends CompiledKernels {
  /** Types of floating point, and divisions, which are lowered to a floating-point reciprocal. */
  private static final Pattern FORBIDDEN =
      Pattern.compile("\\.(f16|f16x2|bf16|bf16x2|tf32|f32|f64|e4m3|e5m2)\\b|\\b(div|rem)\\.");

  KernelImagesTest() {
    super(
        new KernelImages(KernelImages.class, "/cuda/"),
        "engine",
        List.of("ivit-core/src/main/cuda"),
        "cuda-kernels.md");
  }

  @Test
  void holdNoFloatingPoint() {
    for (String image : PTX) {
      assertThat(ptx(image).lines().filter(line -> FORBIDDEN.matcher(line).find())).isEmpty();
    }
    assertThat(FORBIDDEN.matcher("\tmul.f32 %f1, %f2, %f3;").find()).isTrue();
    assertThat(FORBIDDEN.matcher("\tdiv.u32 %r1, %r2, %r3;").find()).isTrue();
  }

  @Test
  void areChosenByComputeCapability() {
    assertThat(KernelImages.name("X", 75, true)).isEqualTo("kernels_sm_75.cubin.gz");
    assertThat(KernelImages.name("X", 80, true)).isEqualTo("kernels_sm_80.cubin.gz");
    assertThat(KernelImages.name("X", 87, true)).isEqualTo("kernels_compute_80.ptx.gz");
    assertThat(KernelImages.name("X", 89, true)).isEqualTo("kernels_sm_89.cubin.gz");
    assertThat(KernelImages.name("X", 90, true)).isEqualTo("kernels_sm_90a.cubin.gz");
    assertThat(KernelImages.name("X", 120, true)).isEqualTo("kernels_compute_80.ptx.gz");
    assertThat(KernelImages.name("X", 75, false)).isEqualTo("kernels_compute_75.ptx.gz");
    assertThat(KernelImages.name("X", 86, false)).isEqualTo("kernels_compute_80.ptx.gz");
    assertThat(KernelImages.name("X", 90, false)).isEqualTo("kernels_compute_80.ptx.gz");
    assertThatThrownBy(() -> KernelImages.name("GTX 1080, device 0", 61, true))
        .isInstanceOf(InputException.class)
        .hasMessage(
            "engine cuda: GTX 1080, device 0 has compute capability 6.1, expected 7.5 (Turing) or"
                + " newer");
  }
}
