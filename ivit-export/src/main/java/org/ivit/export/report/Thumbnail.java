package org.ivit.export.report;

import java.awt.Graphics2D;
import java.awt.Image;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Base64;
import javax.imageio.ImageIO;
import org.ivit.core.image.Rgb;

/** A picture as a {@code data:} URI, of a few kB whatever its size. */
final class Thumbnail {
  /** Pictures up to this side are shown as they are, without loss. */
  private static final int SMALL = 64;

  /** Others are reduced to this. */
  private static final int SIDE = 160;

  private Thumbnail() {}

  /** Whether it is shown pixel by pixel. */
  static boolean isSmall(Rgb picture) {
    return Math.max(picture.width(), picture.height()) <= SMALL;
  }

  static String uri(Rgb picture) {
    BufferedImage image =
        new BufferedImage(picture.width(), picture.height(), BufferedImage.TYPE_INT_RGB);
    for (int y = 0; y < picture.height(); y++) {
      for (int x = 0; x < picture.width(); x++) {
        image.setRGB(
            x, y, picture.at(x, y, 0) << 16 | picture.at(x, y, 1) << 8 | picture.at(x, y, 2));
      }
    }
    return isSmall(picture) ? encoded(image, "png") : encoded(reduced(image), "jpeg");
  }

  private static BufferedImage reduced(BufferedImage image) {
    double scale = Math.min(1, (double) SIDE / Math.max(image.getWidth(), image.getHeight()));
    int width = (int) Math.max(1, Math.round(scale * image.getWidth()));
    int height = (int) Math.max(1, Math.round(scale * image.getHeight()));
    Image smooth = image.getScaledInstance(width, height, Image.SCALE_AREA_AVERAGING);
    BufferedImage result = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = result.createGraphics();
    graphics.drawImage(smooth, 0, 0, null);
    graphics.dispose();
    return result;
  }

  private static String encoded(BufferedImage image, String format) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try {
      if (!ImageIO.write(image, format, bytes)) {
        throw new IllegalStateException("this Java writes no " + format);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return "data:image/"
        + format
        + ";base64,"
        + Base64.getEncoder().encodeToString(bytes.toByteArray());
  }
}
