package org.ivit.train.augment;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.TreeSet;
import org.ivit.core.image.Interpolation;
import org.ivit.core.image.Rgb;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.tensor.TensorFile;
import org.ivit.core.testing.Shared;
import org.junit.jupiter.api.Test;

/** Every picture operation against Pillow's results, and small cases worked out by hand. */
class PillowOperationsTest {
  private static final int[] GREY = {128, 128, 128};

  private static Rgb rgb(Tensor tensor) {
    return new Rgb((int) tensor.shape()[1], (int) tensor.shape()[0], tensor.bytes());
  }

  /** What the name of a golden picture asks for, such as {@code shear_x_0.3_bicubic}. */
  private static Rgb apply(String name, Rgb in) {
    String[] words = name.split("_", -1);
    String operation = words[0] + (words.length > 2 ? "_" + words[1] : "");
    if (words[0].equals("rotate") || words[0].equals("shear") || words[0].equals("translate")) {
      double value = Double.parseDouble(words[words.length - 2]);
      return transform(words[0].equals("rotate") ? "rotate" : operation, value, in)
          .apply(in, Interpolation.valueOf(words[words.length - 1].toUpperCase(Locale.ROOT)), GREY);
    }
    String last = words[words.length - 1];
    return switch (operation) {
      case "autocontrast" -> ToneCurve.autoContrast(in);
      case "equalize" -> ToneCurve.equalize(in);
      case "invert" -> ToneCurve.invert(in);
      case "posterize" -> ToneCurve.posterize(in, Integer.parseInt(last));
      case "solarize" -> ToneCurve.solarize(in, Integer.parseInt(last));
      case "solarize_add" -> ToneCurve.solarizeAdd(in, Integer.parseInt(last));
      case "brightness" -> Enhance.brightness(in, Float.parseFloat(last));
      case "color" -> Enhance.color(in, Float.parseFloat(last));
      case "contrast" -> Enhance.contrast(in, Float.parseFloat(last));
      case "sharpness" -> Enhance.sharpness(in, Float.parseFloat(last));
      default -> throw new IllegalArgumentException(name);
    };
  }

  private static AffineTransform transform(String operation, double value, Rgb in) {
    return switch (operation) {
      case "rotate" -> AffineTransform.rotate(value, in.width(), in.height());
      case "shear_x" -> AffineTransform.shearX(value);
      case "shear_y" -> AffineTransform.shearY(value);
      case "translate_x" -> AffineTransform.translate(value * in.width(), 0);
      case "translate_y" -> AffineTransform.translate(0, value * in.height());
      default -> throw new IllegalArgumentException(operation);
    };
  }

  @Test
  void equalPillowInEveryByte() {
    TensorFile golden = Shared.tensors("golden/preprocess/augment.safetensors");
    Rgb in = rgb(golden.get("in"));
    List<String> different = new ArrayList<>();
    for (String name : new TreeSet<>(golden.tensors().keySet())) {
      if (!name.equals("in") && !apply(name, in).equals(rgb(golden.get(name)))) {
        different.add(name);
      }
    }
    assertThat(golden.tensors()).hasSize(39);
    assertThat(different).isEmpty();
  }

  private static Rgb row(int... greys) {
    byte[] data = new byte[3 * greys.length];
    for (int i = 0; i < data.length; i++) {
      data[i] = (byte) greys[i / 3];
    }
    return new Rgb(greys.length, 1, data);
  }

  @Test
  void tonesOfASmallPicture() {
    Rgb in = row(10, 20, 60);
    assertThat(ToneCurve.autoContrast(in)).isEqualTo(row(0, 51, 255));
    assertThat(ToneCurve.autoContrast(row(7, 7))).isEqualTo(row(7, 7));
    assertThat(ToneCurve.equalize(in)).isEqualTo(in);
    assertThat(ToneCurve.invert(in)).isEqualTo(row(245, 235, 195));
    assertThat(ToneCurve.posterize(in, 4)).isEqualTo(row(0, 16, 48));
    assertThat(ToneCurve.posterize(in, 0)).isEqualTo(row(0, 0, 0));
    assertThat(ToneCurve.posterize(in, 8)).isEqualTo(in);
    assertThat(ToneCurve.solarize(in, 20)).isEqualTo(row(10, 235, 195));
    assertThat(ToneCurve.solarizeAdd(row(10, 127, 128), 200)).isEqualTo(row(210, 255, 128));
    int[] many = new int[513];
    many[511] = 1;
    many[512] = 2;
    // 511 zeros, then 1 and 2: steps of (513 − 1)/255 = 2, so every value above 0 saturates.
    assertThat(ToneCurve.equalize(row(many)).at(0, 0, 0)).isZero();
    assertThat(ToneCurve.equalize(row(many)).at(511, 0, 0)).isEqualTo(255);
  }

  @Test
  void movesByWholePixelsAreExact() {
    int[] fill = {1, 2, 3};
    Rgb in = row(10, 20, 60);
    for (Interpolation filter : Interpolation.values()) {
      Rgb moved = AffineTransform.translate(1, 0).apply(in, filter, fill);
      assertThat(moved.data()).containsExactly(20, 20, 20, 60, 60, 60, 1, 2, 3);
      assertThat(AffineTransform.rotate(0, 3, 1).apply(in, filter, fill)).isEqualTo(in);
      assertThat(AffineTransform.rotate(-180, 3, 1).apply(in, filter, fill))
          .isEqualTo(row(60, 20, 10));
      assertThat(AffineTransform.shearX(0).apply(in, filter, fill)).isEqualTo(in);
    }
    assertThat(AffineTransform.translate(0.5, 0).apply(in, Interpolation.BILINEAR, fill).data())
        .containsExactly(15, 15, 15, 40, 40, 40, 1, 2, 3);
  }
}
