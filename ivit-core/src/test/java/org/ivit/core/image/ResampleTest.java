package org.ivit.core.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.ivit.core.tensor.Safetensors;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.tensor.TensorFile;
import org.ivit.core.testing.Shared;
import org.junit.jupiter.api.Test;

class ResampleTest {
  private static Rgb rgb(Tensor tensor) {
    return new Rgb((int) tensor.shape()[1], (int) tensor.shape()[0], tensor.bytes());
  }

  @Test
  void equalsPillow() {
    TensorFile golden = Safetensors.read(Shared.path("golden/preprocess/resize.safetensors"));
    List<String> seen = new ArrayList<>();
    for (String name : golden.tensors().keySet()) {
      if (name.startsWith("in_")) {
        continue;
      }
      Rgb expected = rgb(golden.get(name));
      Rgb in = rgb(golden.get("in_" + name.substring(name.lastIndexOf('_') + 1)));
      Interpolation filter =
          name.contains("bicubic") ? Interpolation.BICUBIC : Interpolation.BILINEAR;
      int width = expected.width();
      int height = expected.height();
      Rgb found =
          name.startsWith("box")
              ? Resample.resize(
                  in,
                  width,
                  height,
                  filter,
                  0,
                  0,
                  Math.max(1, in.width() / 2),
                  Math.max(1, 2 * in.height() / 3))
              : Resample.resize(in, width, height, filter);
      assertThat(found).as(name).isEqualTo(expected);
      seen.add(name);
    }
    assertThat(seen).hasSize(18);
  }

  @Test
  void sameSizeIsACopy() {
    Rgb in = new Rgb(2, 1, new byte[] {1, 2, 3, 4, 5, 6});
    Rgb out = Resample.resize(in, 2, 1, Interpolation.BICUBIC);
    assertThat(out).isEqualTo(in);
    assertThat(out.data()).isNotSameAs(in.data());
  }

  @Test
  void boxOfWholePixelsAtItsSizeIsACrop() {
    byte[] data = new byte[3 * 5 * 4];
    for (int i = 0; i < data.length; i++) {
      data[i] = (byte) (i * 37);
    }
    Rgb in = new Rgb(5, 4, data);
    assertThat(Resample.resize(in, 3, 2, Interpolation.BICUBIC, 1, 2, 4, 4))
        .isEqualTo(in.crop(1, 2, 3, 2));
  }

  @Test
  void constantStaysConstantAtEveryScale() {
    byte[] data = new byte[3 * 7 * 3];
    java.util.Arrays.fill(data, (byte) 201);
    Rgb in = new Rgb(7, 3, data);
    for (Interpolation filter : Interpolation.values()) {
      for (int size = 1; size < 20; size++) {
        assertThat(Resample.resize(in, size, 20 - size, filter).data()).containsOnly((byte) 201);
      }
    }
  }

  @Test
  void wrongBoxIsRefused() {
    Rgb in = new Rgb(1, 1, new byte[3]);
    assertThatThrownBy(() -> Resample.resize(in, 1, 1, Interpolation.BICUBIC, 0, 0, 2, 1))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Resample.resize(in, 1, 1, Interpolation.BICUBIC, 0.5f, 0, 0.5f, 1))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Resample.resize(in, 0, 1, Interpolation.BICUBIC))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
