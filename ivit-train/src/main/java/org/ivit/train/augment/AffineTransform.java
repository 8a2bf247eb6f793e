package org.ivit.train.augment;

import java.math.BigDecimal;
import java.math.RoundingMode;
import org.ivit.core.image.Interpolation;
import org.ivit.core.image.Rgb;

/**
 * Pillow's {@code Image.transform} with {@code AFFINE}, equal in every byte: from the centre of
 * each output pixel to a place in the input, and there an interpolation in float64 whose result is
 * truncated. Places outside get a fill colour; neighbours outside repeat the border.
 *
 * @param xx coefficient of x in the input's x
 * @param xy coefficient of y in the input's x
 * @param x constant of the input's x, in pixels
 * @param yx coefficient of x in the input's y
 * @param yy coefficient of y in the input's y
 * @param y constant of the input's y, in pixels
 */
record AffineTransform(double xx, double xy, double x, double yx, double yy, double y) {
  private static final int DIGITS = 15;

  /** Horizontal shear. */
  static AffineTransform shearX(double factor) {
    return new AffineTransform(1, factor, 0, 0, 1, 0);
  }

  /** Vertical shear. */
  static AffineTransform shearY(double factor) {
    return new AffineTransform(1, 0, 0, factor, 1, 0);
  }

  /** The input's place is so many pixels to the right and below. */
  static AffineTransform translate(double right, double below) {
    return new AffineTransform(1, 0, right, 0, 1, below);
  }

  /** Pillow's {@code Image.rotate} counter-clockwise about the centre. */
  static AffineTransform rotate(double degrees, int width, int height) {
    double turn = degrees % 360;
    double angle = -Math.toRadians(turn < 0 ? turn + 360 : turn);
    double cos = round(StrictMath.cos(angle));
    double sin = round(StrictMath.sin(angle));
    double cx = width / 2.0;
    double cy = height / 2.0;
    return new AffineTransform(
        cos, sin, cos * -cx + sin * -cy + cx, -sin, cos, -sin * -cx + cos * -cy + cy);
  }

  private static double round(double value) {
    return new BigDecimal(value).setScale(DIGITS, RoundingMode.HALF_EVEN).doubleValue();
  }

  /**
   * Transforms a picture to one of its own size.
   *
   * @param fill the colour of what lies outside, one value a channel
   */
  Rgb apply(Rgb picture, Interpolation interpolation, int[] fill) {
    int width = picture.width();
    int height = picture.height();
    byte[] out = new byte[picture.data().length];
    int at = 0;
    for (int row = 0; row < height; row++) {
      for (int column = 0; column < width; column++) {
        double fromX = xx * (column + 0.5) + xy * (row + 0.5) + x;
        double fromY = yx * (column + 0.5) + yy * (row + 0.5) + y;
        boolean inside = fromX >= 0 && fromX < width && fromY >= 0 && fromY < height;
        for (int c = 0; c < 3; c++) {
          out[at++] =
              (byte)
                  (!inside
                      ? fill[c]
                      : switch (interpolation) {
                        case BILINEAR -> bilinear(picture, fromX - 0.5, fromY - 0.5, c);
                        case BICUBIC -> bicubic(picture, fromX - 0.5, fromY - 0.5, c);
                      });
        }
      }
    }
    return new Rgb(width, height, out);
  }

  private static int bilinear(Rgb picture, double x, double y, int channel) {
    int left = (int) Math.floor(x);
    int top = (int) Math.floor(y);
    double above = bilinearRow(picture, left, top, x - left, channel);
    double below = bilinearRow(picture, left, top + 1, x - left, channel);
    return (int) (above + (below - above) * (y - top));
  }

  private static double bilinearRow(Rgb picture, int left, int row, double d, int channel) {
    int a = value(picture, left, row, channel);
    int b = value(picture, left + 1, row, channel);
    return a + (b - a) * d;
  }

  private static int bicubic(Rgb picture, double x, double y, int channel) {
    int left = (int) Math.floor(x);
    int top = (int) Math.floor(y);
    double dx = x - left;
    double value =
        cubic(
            bicubicRow(picture, left - 1, top - 1, dx, channel),
            bicubicRow(picture, left - 1, top, dx, channel),
            bicubicRow(picture, left - 1, top + 1, dx, channel),
            bicubicRow(picture, left - 1, top + 2, dx, channel),
            y - top);
    return value <= 0 ? 0 : value >= 255 ? 255 : (int) value;
  }

  private static double bicubicRow(Rgb picture, int left, int row, double d, int channel) {
    return cubic(
        value(picture, left, row, channel),
        value(picture, left + 1, row, channel),
        value(picture, left + 2, row, channel),
        value(picture, left + 3, row, channel),
        d);
  }

  /** Cubic convolution with a = −1. */
  private static double cubic(double a, double b, double c, double d, double t) {
    double p2 = -a + c;
    double p3 = 2 * (a - b) + c - d;
    double p4 = -a + b - c + d;
    return b + t * (p2 + t * (p3 + t * p4));
  }

  private static int value(Rgb picture, int column, int row, int channel) {
    return picture.at(
        Math.max(0, Math.min(picture.width() - 1, column)),
        Math.max(0, Math.min(picture.height() - 1, row)),
        channel);
  }
}
