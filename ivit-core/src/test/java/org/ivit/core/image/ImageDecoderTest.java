package org.ivit.core.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Stream;
import org.ivit.core.InputException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Against Pillow 9.4 (libjpeg-turbo), whose results lie beside the pictures as PPM. */
class ImageDecoderTest {
  private static Path odd(String name) {
    try {
      URL folder = ImageDecoderTest.class.getResource("/image/odd");
      return Path.of(Objects.requireNonNull(folder).toURI()).resolve(name);
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  private static List<String> names(String suffix) throws IOException {
    try (Stream<Path> files = Files.list(odd("."))) {
      return files
          .map(f -> f.getFileName().toString())
          .filter(n -> n.endsWith(suffix))
          .sorted()
          .toList();
    }
  }

  static List<String> png() throws IOException {
    return names(".png");
  }

  static List<String> jpeg() throws IOException {
    return names(".jpg");
  }

  @ParameterizedTest
  @MethodSource("png")
  void pngEqualsPillow(String name) {
    assertThat(ImageDecoder.decode(odd(name))).isEqualTo(Ppm.read(odd(name + ".ppm")));
  }

  @ParameterizedTest
  @MethodSource("jpeg")
  void jpegEqualsPillow(String name) {
    Rgb found = ImageDecoder.decode(odd(name));
    Rgb expected = Ppm.read(odd(name + ".ppm"));
    assertThat(found.width()).isEqualTo(expected.width());
    assertThat(found.height()).isEqualTo(expected.height());
    int largest = 0;
    long sum = 0;
    for (int i = 0; i < found.data().length; i++) {
      int difference = Math.abs((found.data()[i] & 0xff) - (expected.data()[i] & 0xff));
      largest = Math.max(largest, difference);
      sum += difference;
    }
    if (name.equals("rgb_440.jpg")) {
      // libjpeg 6b in JDKs that bundle it repeats chroma rows that libjpeg-turbo interpolates.
      assertThat(sum / (double) found.data().length).isLessThan(3);
    } else {
      assertThat(largest).as("largest difference").isZero();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "rgb_420.jpg",
        "progressive.jpg",
        "grey.jpg",
        "cmyk_adobe.jpg",
        "rgb_8.png",
        "grey_1.png",
        "palette_4_interlaced.png"
      })
  void truncatedIsNamed(String name) throws IOException {
    byte[] bytes = Files.readAllBytes(odd(name));
    for (int length = 0; length < bytes.length; length += 1 + bytes.length / 60) {
      byte[] part = Arrays.copyOf(bytes, length);
      assertThatThrownBy(() -> ImageDecoder.decode(part, "folder/picture"))
          .as("first %d bytes", length)
          .isInstanceOf(InputException.class)
          .hasMessageStartingWith("folder/picture: ");
    }
    byte[] part = Arrays.copyOf(bytes, bytes.length - 2);
    assertThatThrownBy(() -> ImageDecoder.decode(part, "x")).isInstanceOf(InputException.class);
  }

  @Test
  void damagedPngIsFound() throws IOException {
    byte[] good = Files.readAllBytes(odd("rgb_8.png"));
    for (int i = 0; i < good.length; i++) {
      byte[] bad = good.clone();
      bad[i] ^= 0x10;
      assertThatThrownBy(() -> ImageDecoder.decode(bad, "x"))
          .as("byte %d", i)
          .isInstanceOf(InputException.class)
          .hasMessageStartingWith("x: ");
    }
  }

  @Test
  void damagedJpegNeverEscapes() throws IOException {
    Random random = new Random(1);
    int refused = 0;
    for (String name : jpeg()) {
      byte[] good = Files.readAllBytes(odd(name));
      for (int i = 0; i < 40; i++) {
        byte[] bad = good.clone();
        bad[random.nextInt(bad.length)] = (byte) random.nextInt(256);
        try {
          assertThat(ImageDecoder.decode(bad, "x").width()).isPositive();
        } catch (InputException e) {
          assertThat(e).hasMessageStartingWith("x: ");
          refused++;
        }
      }
    }
    assertThat(refused).isPositive();
  }

  @Test
  void otherFilesAreRefused(@TempDir Path folder) throws IOException {
    Path text = Files.writeString(folder.resolve("a.jpg"), "no picture");
    assertThatThrownBy(() -> ImageDecoder.decode(text))
        .isInstanceOf(InputException.class)
        .hasMessage(text + ": found neither a JPEG nor a PNG file");
    Path empty = Files.createFile(folder.resolve("empty.png"));
    assertThatThrownBy(() -> ImageDecoder.decode(empty))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("empty");
    assertThatThrownBy(() -> ImageDecoder.decode(folder.resolve("none.jpg")))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("no such picture");
    assertThatThrownBy(() -> ImageDecoder.decode(folder)).isInstanceOf(InputException.class);
  }

  @Test
  void hugeSizesAreRefusedBeforeAllocation() throws IOException {
    byte[] jpeg = Files.readAllBytes(odd("rgb_420.jpg"));
    for (int i = 2; i < jpeg.length; i++) {
      if ((jpeg[i] & 0xff) == 0xc0 && (jpeg[i - 1] & 0xff) == 0xff) {
        Arrays.fill(jpeg, i + 4, i + 8, (byte) 0xff);
        break;
      }
    }
    assertThatThrownBy(() -> ImageDecoder.decode(jpeg, "x"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("65535x65535");
  }

  @Test
  void formatIsToldByContent() throws IOException {
    byte[] bytes = Files.readAllBytes(odd("rgb_8.png"));
    Rgb picture = ImageDecoder.decode(new ByteArrayInputStream(bytes), "picture.JPEG");
    assertThat(picture).isEqualTo(Ppm.read(odd("rgb_8.png.ppm")));
  }
}
