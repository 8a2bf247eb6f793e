package org.ivit.core.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BufferedImagesTest {
  private static final List<Integer> COLOURS = List.of(0x000000, 0xffffff, 0x010203, 0xfe8040);

  @ParameterizedTest
  @ValueSource(
      ints = {
        BufferedImage.TYPE_INT_RGB,
        BufferedImage.TYPE_INT_BGR,
        BufferedImage.TYPE_INT_ARGB,
        BufferedImage.TYPE_3BYTE_BGR,
        BufferedImage.TYPE_4BYTE_ABGR
      })
  void coloursStayAsTheyAre(int type) {
    BufferedImage image = new BufferedImage(2, 2, type);
    for (int i = 0; i < 4; i++) {
      image.setRGB(i % 2, i / 2, 0xff000000 | COLOURS.get(i));
    }
    Rgb rgb = BufferedImages.rgb(image);
    for (int i = 0; i < 4; i++) {
      int found =
          rgb.at(i % 2, i / 2, 0) << 16 | rgb.at(i % 2, i / 2, 1) << 8 | rgb.at(i % 2, i / 2, 2);
      assertThat(found).isEqualTo(COLOURS.get(i));
    }
  }

  @Test
  void alphaIsLeftOutWithoutBlending() {
    BufferedImage image = new BufferedImage(1, 1, BufferedImage.TYPE_INT_ARGB);
    image.setRGB(0, 0, 0x00c86432);
    assertThat(BufferedImages.rgb(image).data()).containsExactly(200, 100, 50);
  }

  @Test
  void greyIsNotBrightened() {
    BufferedImage bytes = new BufferedImage(256, 1, BufferedImage.TYPE_BYTE_GRAY);
    BufferedImage shorts = new BufferedImage(256, 1, BufferedImage.TYPE_USHORT_GRAY);
    for (int i = 0; i < 256; i++) {
      bytes.getRaster().setSample(i, 0, 0, i);
      shorts.getRaster().setSample(i, 0, 0, i << 8 | 0x7f);
    }
    Rgb rgb = BufferedImages.rgb(bytes);
    for (int i = 0; i < 256; i++) {
      assertThat(rgb.at(i, 0, 0)).isEqualTo(i).isEqualTo(rgb.at(i, 0, 2));
    }
    assertThat(BufferedImages.rgb(shorts)).isEqualTo(rgb);
  }

  @Test
  void palettesAreLookedUp() {
    BufferedImage image = new BufferedImage(2, 1, BufferedImage.TYPE_BYTE_BINARY);
    image.setRGB(1, 0, 0xffffffff);
    assertThat(BufferedImages.rgb(image).data()).containsExactly(0, 0, 0, 255, 255, 255);
  }
}
