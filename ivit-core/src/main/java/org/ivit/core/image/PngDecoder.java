package org.ivit.core.image;

import java.awt.image.Raster;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import javax.imageio.ImageReader;

/**
 * PNG to RGB as Pillow does it. The check sums of all chunks are verified, and only the critical
 * ones go to the JDK's reader: transparency, gamma and profiles cannot change the samples it gives.
 *
 * <p>A wrong check sum of a chunk of pixels, which Pillow does not look at, is passed over where
 * the check sum of the compressed data within is right: then it is the sum that is damaged, not the
 * picture.
 *
 * <p>16-bit samples keep their upper byte, except that 16-bit grey without alpha, which Pillow
 * reads as 32-bit integers, is clipped at 255.
 */
final class PngDecoder {
  private static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  private static final String PIXELS = "IDAT";
  private static final int GREY = 0;
  private static final int PALETTE = 3;
  private static final int GREY_ALPHA = 4;

  private PngDecoder() {}

  static boolean matches(byte[] bytes) {
    return bytes.length >= SIGNATURE.length
        && ByteBuffer.wrap(bytes, 0, SIGNATURE.length).equals(ByteBuffer.wrap(SIGNATURE));
  }

  static Rgb decode(byte[] bytes, long mostPixels) throws IOException {
    Chunks chunks = Chunks.parse(bytes, mostPixels);
    Raster raster = raster(chunks);
    int width = chunks.width;
    int height = chunks.height;
    byte[] out = new byte[3 * width * height];
    int bands = raster.getNumBands();
    int[] row = new int[width * bands];
    for (int y = 0; y < height; y++) {
      raster.getPixels(0, y, width, 1, row);
      for (int x = 0; x < width; x++) {
        int to = (y * width + x) * 3;
        if (chunks.colour == PALETTE) {
          System.arraycopy(chunks.palette, 3 * row[x], out, to, 3);
          continue;
        }
        boolean grey = chunks.colour == GREY || chunks.colour == GREY_ALPHA;
        for (int c = 0; c < 3; c++) {
          out[to + c] = sample(chunks, row[x * bands + (grey ? 0 : c)]);
        }
      }
    }
    return new Rgb(width, height, out);
  }

  private static byte sample(Chunks chunks, int value) {
    if (chunks.depth == 16) {
      return (byte) (chunks.colour == GREY ? Math.min(value, 255) : value >> 8);
    }
    return (byte) (value * 255 / ((1 << chunks.depth) - 1));
  }

  private static Raster raster(Chunks chunks) throws IOException {
    ImageReader reader = JdkReaders.reader("png");
    try (JdkReaders.Input input = new JdkReaders.Input(chunks.critical)) {
      reader.setInput(input, true, true);
      return reader.read(0).getRaster();
    } finally {
      reader.dispose();
    }
  }

  /** The header, the palette, and the file with its critical chunks only. */
  private static final class Chunks {
    int width;
    int height;
    int depth;
    int colour;

    /** 256 entries; those that the file leaves out are black, as in Pillow 12. */
    final byte[] palette = new byte[768];

    byte[] critical;

    private final long mostPixels;

    Chunks(long mostPixels) {
      this.mostPixels = mostPixels;
    }

    static Chunks parse(byte[] bytes, long mostPixels) throws IOException {
      Chunks chunks = new Chunks(mostPixels);
      ByteArrayOutputStream kept = new ByteArrayOutputStream(bytes.length);
      kept.write(SIGNATURE);
      ByteBuffer in = ByteBuffer.wrap(bytes).position(SIGNATURE.length);
      ByteArrayOutputStream pixels = new ByteArrayOutputStream(bytes.length);
      boolean damaged = false;
      String type;
      do {
        if (in.remaining() < 12) {
          throw new EOFException("the data ends before the picture");
        }
        int start = in.position();
        int length = in.getInt();
        type = new String(bytes, start + 4, 4, StandardCharsets.ISO_8859_1);
        if (length < 0 || length > in.remaining() - 8) {
          throw new EOFException("chunk " + type + " ends after the file");
        }
        CRC32 sum = new CRC32();
        sum.update(bytes, start + 4, length + 4);
        if (in.getInt(start + 8 + length) != (int) sum.getValue()) {
          if (!type.equals(PIXELS)) {
            throw new IOException("the check sum of chunk " + type + " does not match");
          }
          damaged = true;
        }
        if (type.equals(PIXELS)) {
          pixels.write(bytes, start + 8, length);
        }
        chunks.chunk(type, in.slice(start + 8, length), chunks.width == 0);
        if (Character.isUpperCase(type.charAt(0))) {
          kept.write(bytes, start, length + 12);
        }
        in.position(start + length + 12);
      } while (!type.equals("IEND"));
      if (damaged && !isWhole(pixels.toByteArray())) {
        throw new IOException("the check sum of chunk " + PIXELS + " does not match");
      }
      chunks.critical = kept.toByteArray();
      return chunks;
    }

    /**
     * Whether compressed data can be expanded to its end and has the check sum that stands there.
     */
    private static boolean isWhole(byte[] compressed) {
      Inflater inflater = new Inflater();
      try {
        inflater.setInput(compressed);
        byte[] buffer = new byte[1 << 16];
        while (!inflater.finished()) {
          if (inflater.inflate(buffer) == 0
              && (inflater.needsInput() || inflater.needsDictionary())) {
            return false;
          }
        }
        return true;
      } catch (DataFormatException e) {
        return false;
      } finally {
        inflater.end();
      }
    }

    private void chunk(String type, ByteBuffer body, boolean first) throws IOException {
      if (type.equals("IHDR") != first || (first && body.remaining() != 13)) {
        throw new IOException(
            "chunk " + type + " where " + (first ? "the header" : "data") + " is");
      }
      if (first) {
        ImageDecoder.checkSize(body.getInt(0), body.getInt(4), mostPixels);
        width = body.getInt(0);
        height = body.getInt(4);
        depth = body.get(8);
        colour = body.get(9);
      } else if (type.equals("PLTE")) {
        body.get(palette, 0, Math.min(768, body.remaining()));
      }
    }
  }
}
