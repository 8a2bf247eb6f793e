package org.ivit.core.image;

import java.awt.image.BufferedImage;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import javax.imageio.ImageReader;

/**
 * BMP to RGB as Pillow does it: the JDK's reader gives the stored samples, which are looked up in
 * the palette or widened to 8 bits here.
 */
final class BmpDecoder {
  /** Length of the header of OS/2, whose sizes have 16 bits. */
  private static final int OLD_HEADER = 12;

  private static final int PLAIN = 0;
  private static final int PLAIN_WITH_MASKS = 3;

  private BmpDecoder() {}

  static boolean matches(byte[] bytes) {
    return bytes.length > 2 && bytes[0] == 'B' && bytes[1] == 'M';
  }

  static Rgb decode(byte[] bytes, long mostPixels) throws IOException {
    ImageReader reader = JdkReaders.reader("bmp");
    try (JdkReaders.Input input = new JdkReaders.Input(bytes)) {
      reader.setInput(input, true, true);
      ImageDecoder.checkSize(reader.getWidth(0), reader.getHeight(0), mostPixels);
      requireWhole(bytes);
      BufferedImage picture = reader.read(0);
      if (input.exhausted()) {
        throw new EOFException("the data ends before the picture");
      }
      return JdkReaders.rgb(picture);
    } finally {
      reader.dispose();
    }
  }

  /** The JDK's reader takes what is missing of plain rows for zeros. */
  private static void requireWhole(byte[] bytes) throws EOFException {
    ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    boolean old = in.getInt(14) == OLD_HEADER;
    int width = old ? in.getShort(18) & 0xffff : in.getInt(18);
    int height = old ? in.getShort(20) & 0xffff : Math.abs(in.getInt(22));
    int bits = in.getShort(old ? 24 : 28) & 0xffff;
    boolean plain = old || in.getInt(30) == PLAIN || in.getInt(30) == PLAIN_WITH_MASKS;
    long row = ((long) width * bits + 31) / 32 * 4;
    if (plain && (in.getInt(10) & 0xffffffffL) + row * height > bytes.length) {
      throw new EOFException("the data ends before the picture");
    }
  }
}
