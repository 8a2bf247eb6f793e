package org.ivit.core.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import org.ivit.core.InputException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Against Pillow 9.4 and 12.3 (libjpeg-turbo), whose results lie beside the pictures as PPM. They
 * are equal but for indices beyond a palette: there it is 12.3's.
 */
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

  static List<String> bmp() throws IOException {
    return names(".bmp");
  }

  @ParameterizedTest
  @MethodSource("bmp")
  void bmpEqualsPillow(String name) {
    assertThat(ImageDecoder.decode(odd(name))).isEqualTo(Ppm.read(odd(name + ".ppm")));
  }

  static List<String> webp() throws IOException {
    return names(".webp");
  }

  @ParameterizedTest
  @MethodSource("webp")
  void losslessWebpEqualsPillowAndLossyIsNear(String name) {
    Rgb found = ImageDecoder.decode(odd(name));
    Rgb expected = Ppm.read(odd(name + ".ppm"));
    if (!name.startsWith("lossy")) {
      assertThat(found).isEqualTo(expected);
      return;
    }
    assertThat(found.width()).isEqualTo(expected.width());
    assertThat(found.height()).isEqualTo(expected.height());
    long sum = 0;
    for (int i = 0; i < found.data().length; i++) {
      sum += Math.abs((found.data()[i] & 0xff) - (expected.data()[i] & 0xff));
    }
    assertThat(sum / (double) found.data().length).isLessThan(3);
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
        "palette_4_interlaced.png",
        "lossless_rgb4.jpg",
        "lossless.webp",
        "lossy_75.webp",
        "rgb565.bmp",
        "p8.bmp",
        "top24.bmp"
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

  /** Four bytes of each of two check sums, and bits that pad the compressed data to a byte. */
  @Test
  void damagedPngIsFoundWhereItMatters() throws IOException {
    byte[] good = Files.readAllBytes(odd("rgb_8.png"));
    Rgb expected = Ppm.read(odd("rgb_8.png.ppm"));
    List<Integer> harmless = new ArrayList<>();
    for (int i = 0; i < good.length; i++) {
      byte[] bad = good.clone();
      bad[i] ^= 0x10;
      try {
        assertThat(ImageDecoder.decode(bad, "x")).isEqualTo(expected);
        harmless.add(i);
      } catch (InputException e) {
        assertThat(e).hasMessageStartingWith("x: ");
      }
    }
    assertThat(harmless).containsExactly(384, 385, 386, 387, 735, 740, 741, 742, 743);
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

  /** JPEG codings that are not decoded, by the second byte of their frame's marker. */
  @Test
  void codingsThatAreNotDecodedAreNamed() throws IOException {
    byte[] lossless = Files.readAllBytes(odd("lossless_rgb4.jpg"));
    int frame = 2;
    while ((lossless[frame] & 0xff) != 0xff || (lossless[frame + 1] & 0xff) != 0xc3) {
      frame++;
    }
    Map<Integer, String> names =
        Map.of(0xc5, "hierarchical", 0xc9, "arithmetic", 0xca, "arithmetic", 0xcb, "arithmetic");
    for (Map.Entry<Integer, String> coding : names.entrySet()) {
      byte[] other = lossless.clone();
      other[frame + 1] = coding.getKey().byteValue();
      assertThatThrownBy(() -> ImageDecoder.decode(other, "x"))
          .isInstanceOf(InputException.class)
          .hasMessageStartingWith("x: corrupt picture: " + coding.getValue() + " coding");
    }
    lossless[frame + 11] = 0x22;
    assertThatThrownBy(() -> ImageDecoder.decode(lossless, "x"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("subsampled");
  }

  @Test
  void otherFilesAreRefused(@TempDir Path folder) throws IOException {
    Path text = Files.writeString(folder.resolve("a.jpg"), "no picture");
    assertThatThrownBy(() -> ImageDecoder.decode(text))
        .isInstanceOf(InputException.class)
        .hasMessage(text + ": found no JPEG, PNG, WebP or BMP file");
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
    Rgb picture = ImageDecoder.decode(bytes, "picture.JPEG");
    assertThat(picture).isEqualTo(Ppm.read(odd("rgb_8.png.ppm")));
  }

  /** After the start of the picture, a segment of application data. */
  private static byte[] withSegments(byte[] jpeg, byte[]... bodies) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(jpeg, 0, 2);
    for (byte[] body : bodies) {
      out.write(0xff);
      out.write(0xe2);
      out.write((body.length + 2) >> 8);
      out.write(body.length + 2);
      out.writeBytes(body);
    }
    out.write(jpeg, 2, jpeg.length - 2);
    return out.toByteArray();
  }

  private static byte[] profileChunk(int number, int count, int length) {
    byte[] body = Arrays.copyOf("ICC_PROFILE\0".getBytes(StandardCharsets.US_ASCII), 14 + length);
    body[12] = (byte) number;
    body[13] = (byte) count;
    return body;
  }

  static Map<String, byte[][]> brokenProfiles() {
    return Map.of(
        "missing chunk", new byte[][] {profileChunk(1, 2, 200)},
        "duplicate chunk", new byte[][] {profileChunk(1, 1, 200), profileChunk(1, 1, 200)},
        "number 0", new byte[][] {profileChunk(0, 1, 200)},
        "number above the count", new byte[][] {profileChunk(2, 1, 200)},
        "two counts", new byte[][] {profileChunk(1, 2, 200), profileChunk(2, 3, 200)},
        "empty", new byte[][] {profileChunk(1, 1, 0)},
        "no profile", new byte[][] {profileChunk(1, 1, 40)});
  }

  @ParameterizedTest
  @MethodSource("jpeg")
  void brokenProfilesDoNotMatter(String name) throws IOException {
    byte[] good = Files.readAllBytes(odd(name));
    Rgb expected = ImageDecoder.decode(good, name);
    brokenProfiles()
        .forEach(
            (fault, segments) ->
                assertThat(ImageDecoder.decode(withSegments(good, segments), name))
                    .as(fault)
                    .isEqualTo(expected));
  }

  /** One PNG chunk. */
  private static byte[] chunk(String type, byte[] body, int damage) {
    byte[] named = new byte[4 + body.length];
    System.arraycopy(type.getBytes(StandardCharsets.US_ASCII), 0, named, 0, 4);
    System.arraycopy(body, 0, named, 4, body.length);
    CRC32 sum = new CRC32();
    sum.update(named);
    return ByteBuffer.allocate(8 + named.length)
        .putInt(body.length)
        .put(named)
        .putInt((int) sum.getValue() ^ damage)
        .array();
  }

  private static byte[] palettePng(int damage, byte[] palette, byte... indices) {
    byte[] row = new byte[indices.length + 1];
    System.arraycopy(indices, 0, row, 1, indices.length);
    Deflater deflater = new Deflater();
    deflater.setInput(row);
    deflater.finish();
    byte[] data = new byte[100];
    data = Arrays.copyOf(data, deflater.deflate(data));
    deflater.end();
    byte[] header = {0, 0, 0, (byte) indices.length, 0, 0, 0, 1, 8, 3, 0, 0, 0};
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(new byte[] {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'});
    out.writeBytes(chunk("IHDR", header, 0));
    out.writeBytes(chunk("PLTE", palette, 0));
    out.writeBytes(chunk("IDAT", data, damage));
    out.writeBytes(chunk("IEND", new byte[0], 0));
    return out.toByteArray();
  }

  @Test
  void indexBeyondThePaletteIsBlack() {
    byte[] palette = {10, 20, 30, 40, 50, 60};
    Rgb picture = ImageDecoder.decode(palettePng(0, palette, (byte) 1, (byte) 2, (byte) 255), "x");
    assertThat(picture.data()).containsExactly(40, 50, 60, 0, 0, 0, 0, 0, 0);
  }

  @Test
  void wrongSumOfPixelsIsPassedOverWhereTheDataAreWhole() {
    byte[] palette = {10, 20, 30, 40, 50, 60};
    Rgb picture = ImageDecoder.decode(palettePng(1, palette, (byte) 1, (byte) 0), "x");
    assertThat(picture.data()).containsExactly(40, 50, 60, 10, 20, 30);
  }
}
