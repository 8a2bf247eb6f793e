package org.ivit.core.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
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

  /** Sharp edges overshoot on both sides; odd heights leave a row without its pair. */
  @Test
  void equalsTheFormulaOnExtremes() {
    Random random = new Random(7);
    for (int round = 0; round < 200; round++) {
      int width = 1 + random.nextInt(40);
      int height = 1 + random.nextInt(40);
      byte[] data = new byte[3 * width * height];
      for (int i = 0; i < data.length; i++) {
        data[i] = (byte) (random.nextInt(4) == 0 ? random.nextInt(256) : -random.nextInt(2));
      }
      Rgb in = new Rgb(width, height, data);
      int toWidth = random.nextInt(5) == 0 ? width : 1 + random.nextInt(60);
      int toHeight = random.nextInt(5) == 0 ? height : 1 + random.nextInt(60);
      Interpolation filter = random.nextBoolean() ? Interpolation.BICUBIC : Interpolation.BILINEAR;
      Rgb expected = transposed(across(in, toWidth, filter));
      expected = transposed(across(expected, toHeight, filter));
      assertThat(Resample.resize(in, toWidth, toHeight, filter))
          .as("%s to %s x %s, %s", in, toWidth, toHeight, filter)
          .isEqualTo(expected);
      int x = random.nextInt(toWidth);
      int y = random.nextInt(toHeight);
      int partWidth = 1 + random.nextInt(toWidth - x);
      int partHeight = 1 + random.nextInt(toHeight - y);
      assertThat(Resample.resizePart(in, toWidth, toHeight, filter, x, y, partWidth, partHeight))
          .isEqualTo(expected.crop(x, y, partWidth, partHeight));
    }
  }

  /** One number at a time. */
  private static Rgb across(Rgb in, int width, Interpolation filter) {
    if (width == in.width()) {
      return in;
    }
    double scale = (double) in.width() / width;
    double wide = Math.max(scale, 1);
    double support = filter.support() * wide;
    byte[] out = new byte[3 * width * in.height()];
    for (int x = 0; x < width; x++) {
      double center = (x + 0.5) * scale;
      int first = Math.max(0, (int) (center - support + 0.5));
      int end = Math.min(in.width(), (int) (center + support + 0.5));
      double total = 0;
      for (int i = first; i < end; i++) {
        total += filter.weight((i - center + 0.5) * (1 / wide));
      }
      for (int y = 0; y < in.height(); y++) {
        for (int c = 0; c < 3; c++) {
          long sum = 1 << 21;
          for (int i = first; i < end; i++) {
            double weight = filter.weight((i - center + 0.5) * (1 / wide)) / total * (1 << 22);
            sum += in.at(i, y, c) * (long) (weight < 0 ? weight - 0.5 : weight + 0.5);
          }
          out[(y * width + x) * 3 + c] = (byte) Math.max(0, Math.min(255, sum >> 22));
        }
      }
    }
    return new Rgb(width, in.height(), out);
  }

  private static Rgb transposed(Rgb in) {
    byte[] out = new byte[in.data().length];
    for (int y = 0; y < in.height(); y++) {
      for (int x = 0; x < in.width(); x++) {
        System.arraycopy(in.data(), 3 * (y * in.width() + x), out, 3 * (x * in.height() + y), 3);
      }
    }
    return new Rgb(in.height(), in.width(), out);
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
