package org.ivit.core.pretrained;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.assertj.core.data.Offset;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.tensor.TensorFile;
import org.ivit.core.testing.Shared;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Against PyTorch's {@code interpolate}, whose coefficients are float32: to their rounding. */
class GridResamplingTest {
  private static final Offset<Float> ROUNDING = Offset.offset(1e-5f);

  private static final float[] GRID = {
    -5f, 5.25f, -3.5f, 1.75f, -1f, -0.75f, 2.5f, -2.25f, 7f, -2.75f, 1.5f, -2.25f, 8f, -0.75f, 4.5f,
    1.75f
  };

  private static float[] resample(float[] grid, int to, int channels, boolean antialias) {
    GridResampling rule = antialias ? GridResampling.BICUBIC_ANTIALIAS : GridResampling.BICUBIC;
    return rule.resample(grid, 4, 4, to, to, channels);
  }

  private static void expect(int to, boolean antialias, float... expected) {
    assertThat(resample(GRID, to, 1, antialias)).containsExactly(expected, ROUNDING);
  }

  @Test
  void antialiasedSmaller() {
    expect(
        3,
        true,
        -2.0711389f,
        1.1589699f,
        -0.24530613f,
        1.5993121f,
        0.019396577f,
        -1.1488883f,
        5.5561147f,
        0.93798035f,
        1.7774924f);
  }

  @Test
  void antialiasedLarger() {
    expect(
        6,
        true,
        -5.9807806f,
        0.43111435f,
        5.0593324f,
        -2.9621105f,
        -1.3281733f,
        2.401835f,
        -3.9916787f,
        -0.51643604f,
        2.5128005f,
        -0.19417278f,
        -0.5467128f,
        -0.10042566f,
        0.2844482f,
        -0.7821355f,
        -0.90215653f,
        2.4884477f,
        0.16707495f,
        -2.8711944f,
        6.59914f,
        1.6742923f,
        -2.6454263f,
        1.1424687f,
        -0.37704235f,
        -2.7938292f,
        8.645317f,
        3.099481f,
        -1.7574899f,
        2.516477f,
        1.6401386f,
        -0.3403642f,
        8.637118f,
        3.666409f,
        -0.45004904f,
        4.1123304f,
        3.58901f,
        1.8365653f);
  }

  @Test
  void plainSmaller() {
    expect(2, false, -0.38964844f, -0.59472656f, 2.7021484f, 1.7822266f);
  }

  @Test
  void plainLarger() {
    float[] seven = resample(GRID, 7, 1, false);
    assertThat(seven).hasSize(49);
    assertThat(Arrays.copyOf(seven, 7))
        .containsExactly(
            new float[] {
              -6.512278f, -0.95484644f, 5.6612453f, 1.3437493f, -4.197323f, -0.5914346f, 2.7661924f
            },
            ROUNDING);
    assertThat(seven[48]).isEqualTo(1.8838646f, ROUNDING);
  }

  @Test
  void channelsAreApartAndTheSameSizeIsTheSame() {
    float[] two = new float[32];
    for (int i = 0; i < 16; i++) {
      two[2 * i] = GRID[i];
      two[2 * i + 1] = -3 * GRID[i];
    }
    assertThat(resample(two, 4, 2, true)).containsExactly(two);
    float[] small = resample(two, 3, 2, true);
    float[] one = resample(GRID, 3, 1, true);
    for (int i = 0; i < 9; i++) {
      assertThat(small[2 * i]).isEqualTo(one[i]);
      assertThat(small[2 * i + 1]).isEqualTo(-3 * one[i], Offset.offset(1e-5f));
    }
  }

  /** The same functions in float64, by another implementation. */
  @ParameterizedTest
  @EnumSource
  void equalsTheLibrariesFunctions(GridResampling rule) {
    TensorFile cases = Shared.tensors("golden/families/pos_embed_resample/resample.safetensors");
    String method =
        rule == GridResampling.BICUBIC_OFFSET
            ? "bicubic_scale_offset_0.1"
            : rule.name().toLowerCase(Locale.ROOT);
    for (String name : List.of("up", "down", "wide", "same_count", "dinov2")) {
      int[] grid = cases.get(name + "/grid").ints();
      Tensor in = cases.get(name + "/in");
      int channels = (int) in.shape()[2];
      assertThat(rule.resample(in.doubles(), grid[0], grid[1], grid[2], grid[3], channels))
          .as(name)
          .containsExactly(
              cases.get("%s/%s_f64".formatted(name, method)).doubles(), Offset.offset(1e-12));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"patch_8_to_4", "patch_8_to_6", "patch_4_to_8"})
  void patchKernelsEqualTheLibraries(String name) {
    TensorFile cases = Shared.tensors("golden/families/pos_embed_resample/resample.safetensors");
    Tensor in = cases.get(name + "/in");
    for (GridResampling rule : List.of(GridResampling.BICUBIC_ANTIALIAS, GridResampling.BILINEAR)) {
      Tensor expected =
          cases.get("%s/%s_f32".formatted(name, rule.name().toLowerCase(Locale.ROOT)));
      assertThat(
              PatchResampling.resample(
                  in.floats(), (int) in.shape()[2], (int) expected.shape()[2], rule))
          .containsExactly(expected.floats(), Offset.offset(5e-6f));
    }
  }
}
