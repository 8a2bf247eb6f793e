package org.ivit.train.augment;

import static org.assertj.core.api.Assertions.assertThat;

import org.ivit.core.image.Rgb;
import org.junit.jupiter.api.Test;

class EnhanceTest {
  /** Values worked out by hand from Pillow's formulas. */
  @Test
  void smallPicture() {
    Rgb in = new Rgb(2, 1, new byte[] {10, 20, 30, (byte) 200, 100, 50});
    assertThat(Enhance.brightness(in, 1.5f).data())
        .containsExactly(15, 30, 45, (byte) 255, (byte) 150, 75);
    // Luminance 18 and 124, mean 71.
    assertThat(Enhance.color(in, 0).data()).containsExactly(18, 18, 18, 124, 124, 124);
    assertThat(Enhance.contrast(in, 0).data()).containsOnly(71);
    assertThat(Enhance.contrast(in, 2).data()).containsExactly(0, 0, 0, (byte) 255, (byte) 129, 29);
    assertThat(Enhance.color(in, 1)).isEqualTo(in);
  }
}
