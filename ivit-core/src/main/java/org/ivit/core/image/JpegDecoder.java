package org.ivit.core.image;

import com.twelvemonkeys.imageio.plugins.jpeg.JPEGImageReaderSpi;
import java.awt.image.Raster;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import javax.imageio.ImageReader;

/**
 * JPEG to RGB as libjpeg and Pillow do it. The JDK's reader, which is libjpeg too, gives the
 * upsampled components without any colour conversion, and TwelveMonkeys' those of lossless coding;
 * the colour space is then told from the markers by libjpeg's rules ({@code jdapimin.c}) and
 * converted by its fixed-point formulas ({@code jdcolor.c}), which the JDK's own choices and
 * embedded profiles cannot change.
 *
 * <p>Equal to Pillow with libjpeg-turbo in every byte, except that JDKs which bundle libjpeg 6b do
 * not interpolate chroma that is halved vertically only (4:4:0, from cameras held upright).
 */
final class JpegDecoder {
  /** The frame of sequential lossless coding. */
  private static final int LOSSLESS = 0xc3;

  private static final int SCALE_BITS = 16;
  private static final int HALF = 1 << (SCALE_BITS - 1);
  private static final int[] RED_OF_CR = table(1.40200, HALF, SCALE_BITS);
  private static final int[] BLUE_OF_CB = table(1.77200, HALF, SCALE_BITS);
  private static final int[] GREEN_OF_CB = table(-0.34414, HALF, 0);
  private static final int[] GREEN_OF_CR = table(-0.71414, 0, 0);

  /** Colours lie between -227 and 482 before they are clipped. */
  private static final int CLIP_OFFSET = 256;

  private static final byte[] CLIPPED = clipTable();

  private JpegDecoder() {}

  static boolean matches(byte[] bytes) {
    return bytes.length > 2 && at(bytes, 0) == 0xff && at(bytes, 1) == 0xd8 && at(bytes, 2) == 0xff;
  }

  static Rgb decode(byte[] bytes, long mostPixels) throws IOException {
    Header header = Header.parse(bytes);
    ImageDecoder.checkSize(header.width, header.height, mostPixels);
    byte[] samples = samples(bytes, header);
    byte[] out = header.components == 3 ? samples : new byte[3 * header.width * header.height];
    switch (header.components) {
      case 1 -> grey(samples, out);
      case 3 -> {
        if (header.luminance()) {
          yccToRgb(samples, 3, out);
        }
      }
      default -> cmyk(samples, header.luminance(), out);
    }
    return new Rgb(header.width, header.height, out);
  }

  /** The components as stored, [height][width][components]. */
  private static byte[] samples(byte[] bytes, Header header) throws IOException {
    ImageReader reader =
        header.lossless ? JdkReaders.plugin(new JPEGImageReaderSpi()) : JdkReaders.reader("jpeg");
    try (JdkReaders.Input input = new JdkReaders.Input(header.needed(bytes))) {
      reader.setInput(input, true, true);
      Raster raster = reader.readRaster(0, null);
      if (input.exhausted()) {
        throw new EOFException("the data ends before the picture");
      }
      if (raster.getNumBands() != header.components
          || raster.getWidth() != header.width
          || raster.getHeight() != header.height) {
        throw new IOException("more than one frame");
      }
      return JdkReaders.samples(raster);
    } finally {
      reader.dispose();
    }
  }

  private static void grey(byte[] samples, byte[] out) {
    for (int i = 0; i < samples.length; i++) {
      out[3 * i] = samples[i];
      out[3 * i + 1] = samples[i];
      out[3 * i + 2] = samples[i];
    }
  }

  /**
   * libjpeg's conversion by its tables; {@code stride} 4 leaves a fourth component alone. Both
   * arrays may be one.
   */
  private static void yccToRgb(byte[] samples, int stride, byte[] out) {
    int from = 0;
    for (int to = 0; to + 2 < out.length; to += 3) {
      int y = at(samples, from);
      int cb = at(samples, from + 1);
      int cr = at(samples, from + 2);
      out[to] = clipped(y + RED_OF_CR[cr]);
      out[to + 1] = clipped(y + ((GREEN_OF_CB[cb] + GREEN_OF_CR[cr]) >> SCALE_BITS));
      out[to + 2] = clipped(y + BLUE_OF_CB[cb]);
      from += stride;
    }
  }

  private static int[] table(double factor, int add, int shift) {
    int[] table = new int[256];
    for (int i = 0; i < 256; i++) {
      int scaled = factor < 0 ? -fix(-factor) : fix(factor);
      table[i] = (scaled * (i - 128) + add) >> shift;
    }
    return table;
  }

  /** The mask spares the check of the bounds. */
  private static byte clipped(int value) {
    return CLIPPED[value + CLIP_OFFSET & (4 * CLIP_OFFSET - 1)];
  }

  private static byte[] clipTable() {
    byte[] table = new byte[4 * CLIP_OFFSET];
    for (int i = 0; i < table.length; i++) {
      table[i] = clip(i - CLIP_OFFSET);
    }
    return table;
  }

  /**
   * Pillow takes every four-component JPEG as inverted, as Adobe writes it, and converts CMYK by
   * the plain formula. So the stored bytes are 255 − C, 255 − M, 255 − Y, 255 − K, or for YCCK the
   * RGB of the first three is C, M, Y.
   */
  private static void cmyk(byte[] samples, boolean ycck, byte[] out) {
    if (ycck) {
      yccToRgb(samples, 4, out);
    }
    int pixels = out.length / 3;
    for (int i = 0; i < pixels; i++) {
      int white = at(samples, 4 * i + 3);
      for (int c = 0; c < 3; c++) {
        int ink = ycck ? at(out, 3 * i + c) : 255 - at(samples, 4 * i + c);
        int product = ink * white + 128;
        out[3 * i + c] = clip(white - (((product >> 8) + product) >> 8));
      }
    }
  }

  private static int fix(double value) {
    return (int) (value * (1 << SCALE_BITS) + 0.5);
  }

  private static byte clip(int value) {
    return (byte) Math.max(0, Math.min(255, value));
  }

  private static int at(byte[] bytes, int index) {
    return bytes[index] & 0xff;
  }

  /** What the markers before the first scan say. */
  private static final class Header {
    int width;
    int height;
    int components;
    private final int[] ids = new int[4];
    private final List<Segment> unneeded = new ArrayList<>();
    private boolean lossless;
    private boolean subsampled;
    private boolean jfif;
    private int adobeTransform = -1;

    /** Where a marker segment begins, with what libjpeg skips before it, and ends. */
    private record Segment(int start, int end) {}

    /**
     * The file without comments and application data, as which profiles, EXIF and thumbnails lie:
     * the JDK's reader refuses a picture for a profile that is broken.
     */
    byte[] needed(byte[] bytes) {
      ByteArrayOutputStream kept = new ByteArrayOutputStream(bytes.length);
      int from = 0;
      for (Segment segment : unneeded) {
        kept.write(bytes, from, segment.start - from);
        from = segment.end;
      }
      kept.write(bytes, from, bytes.length - from);
      return kept.toByteArray();
    }

    /** Whether the first three components are Y, Cb, Cr: libjpeg's guess. */
    boolean luminance() {
      if (lossless) {
        return false;
      }
      if (components == 4) {
        return adobeTransform > 0;
      }
      if (jfif || adobeTransform > 0) {
        return true;
      }
      return adobeTransform < 0 && !(ids[0] == 'R' && ids[1] == 'G' && ids[2] == 'B');
    }

    static Header parse(byte[] bytes) throws IOException {
      Header header = new Header();
      int position = 2;
      while (true) {
        int start = position;
        // A marker is any number of 0xff and a code; libjpeg skips what lies before one.
        while (need(bytes, position) != 0xff) {
          position++;
        }
        while (need(bytes, position) == 0xff) {
          position++;
        }
        int marker = at(bytes, position++);
        if (marker == 0 || marker == 0x01 || (marker >= 0xd0 && marker <= 0xd7)) {
          continue;
        }
        if (marker == 0xd9 || marker == 0xda) {
          if (header.components == 0) {
            throw new IOException("no frame header before the first scan");
          }
          header.requireReadable();
          return header;
        }
        int length = need(bytes, position) << 8 | need(bytes, position + 1);
        need(bytes, position + length - 1);
        header.segment(marker, bytes, position + 2, length - 2);
        if (length >= 2 && isUnneeded(marker)) {
          header.unneeded.add(new Segment(start, position + length));
        }
        position += length;
      }
    }

    /** Comments and application data but JFIF's and Adobe's, which tell the colour space. */
    private static boolean isUnneeded(int marker) {
      return marker == 0xfe || (marker > 0xe0 && marker <= 0xef && marker != 0xee);
    }

    private void segment(int marker, byte[] bytes, int at, int length) throws IOException {
      if (marker == 0xe0 && length >= 14 && startsWith(bytes, at, "JFIF\0")) {
        jfif = true;
      } else if (marker == 0xee && length >= 12 && startsWith(bytes, at, "Adobe")) {
        adobeTransform = at(bytes, at + 11);
      } else if (marker >= 0xc0
          && marker <= 0xcf
          && marker != 0xc4
          && marker != 0xc8
          && marker != 0xcc) {
        frame(marker, bytes, at, length);
      }
    }

    private void frame(int marker, byte[] bytes, int at, int length) throws IOException {
      lossless = marker == LOSSLESS;
      if (marker > LOSSLESS) {
        throw new IOException(
            coding(marker) + ", expected baseline, progressive or lossless JPEG in Huffman coding");
      }
      if (length < 6 || length != 6 + 3 * at(bytes, at + 5)) {
        throw new IOException("a frame header of " + length + " bytes");
      }
      if (at(bytes, at) != 8) {
        throw new IOException(at(bytes, at) + " bits a sample, expected 8");
      }
      height = at(bytes, at + 1) << 8 | at(bytes, at + 2);
      width = at(bytes, at + 3) << 8 | at(bytes, at + 4);
      components = at(bytes, at + 5);
      if (components != 1 && components != 3 && components != 4) {
        throw new IOException(components + " components, expected 1, 3 or 4");
      }
      for (int i = 0; i < components; i++) {
        ids[i] = at(bytes, at + 6 + 3 * i);
        subsampled |= at(bytes, at + 7 + 3 * i) != at(bytes, at + 7);
      }
    }

    private static String coding(int marker) {
      return (marker & 4) == 0 ? "arithmetic coding" : "hierarchical coding";
    }

    /** A lossless picture has the colours that it shows; libjpeg does not convert any. */
    private void requireReadable() throws IOException {
      if (lossless && components != 1) {
        if (components != 3 || jfif || adobeTransform > 0) {
          throw new IOException("lossless coding of other colours than grey and RGB");
        }
        if (subsampled) {
          throw new IOException("lossless coding of subsampled channels");
        }
      }
    }

    private static boolean startsWith(byte[] bytes, int at, String text) {
      for (int i = 0; i < text.length(); i++) {
        if (at(bytes, at + i) != text.charAt(i)) {
          return false;
        }
      }
      return true;
    }

    private static int need(byte[] bytes, int index) throws IOException {
      if (index >= bytes.length) {
        throw new EOFException("the data ends before the picture");
      }
      return at(bytes, index);
    }
  }
}
