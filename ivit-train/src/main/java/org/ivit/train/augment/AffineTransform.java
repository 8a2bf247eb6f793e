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
    Sampler sampler =
        switch (interpolation) {
          case BILINEAR -> new Bilinear(picture);
          case BICUBIC -> new Bicubic(picture);
        };
    int width = picture.width();
    int height = picture.height();
    byte[] out = new byte[picture.data().length];
    int at = 0;
    for (int row = 0; row < height; row++) {
      for (int column = 0; column < width; column++) {
        double fromX = xx * (column + 0.5) + xy * (row + 0.5) + x;
        double fromY = yx * (column + 0.5) + yy * (row + 0.5) + y;
        if (fromX >= 0 && fromX < width && fromY >= 0 && fromY < height) {
          sampler.sample(fromX - 0.5, fromY - 0.5, out, at);
        } else {
          for (int c = 0; c < 3; c++) {
            out[at + c] = (byte) fill[c];
          }
        }
        at += 3;
      }
    }
    return new Rgb(width, height, out);
  }

  /** Pixels between those of a picture; neighbours outside of it repeat its border. */
  private abstract static class Sampler {
    private final byte[] data;
    private final int width;
    private final int height;

    Sampler(Rgb picture) {
      data = picture.data();
      width = picture.width();
      height = picture.height();
    }

    /** Writes the three channels of a place. */
    abstract void sample(double x, double y, byte[] out, int at);

    /** Where a column begins in a row. */
    final int column(int column) {
      return 3 * Math.max(0, Math.min(width - 1, column));
    }

    /** Where a row begins. */
    final int row(int row) {
      return 3 * width * Math.max(0, Math.min(height - 1, row));
    }

    final int value(int index) {
      return data[index] & 0xff;
    }
  }

  private static final class Bilinear extends Sampler {
    Bilinear(Rgb picture) {
      super(picture);
    }

    @Override
    void sample(double x, double y, byte[] out, int at) {
      int left = (int) Math.floor(x);
      int top = (int) Math.floor(y);
      double dx = x - left;
      double dy = y - top;
      int a = column(left);
      int b = column(left + 1);
      int above = row(top);
      int below = row(top + 1);
      for (int c = 0; c < 3; c++) {
        double upper = between(value(above + a + c), value(above + b + c), dx);
        double lower = between(value(below + a + c), value(below + b + c), dx);
        out[at + c] = (byte) (int) (upper + (lower - upper) * dy);
      }
    }

    private static double between(int a, int b, double d) {
      return a + (b - a) * d;
    }
  }

  /**
   * Cubic convolution with a = −1. Where a place lies on a row or a column of the picture, as it
   * does in all shears and translations, the polynomial is its constant there, and is left out.
   */
  private static final class Bicubic extends Sampler {
    Bicubic(Rgb picture) {
      super(picture);
    }

    @Override
    void sample(double x, double y, byte[] out, int at) {
      int left = (int) Math.floor(x);
      int top = (int) Math.floor(y);
      double dx = x - left;
      double dy = y - top;
      int c0 = column(left - 1);
      int c1 = column(left);
      int c2 = column(left + 1);
      int c3 = column(left + 2);
      int r1 = row(top);
      if (dy == 0) {
        for (int c = 0; c < 3; c++) {
          int r = r1 + c;
          out[at + c] = clip(across(r + c0, r + c1, r + c2, r + c3, dx));
        }
        return;
      }
      int r0 = row(top - 1);
      int r2 = row(top + 1);
      int r3 = row(top + 2);
      for (int c = 0; c < 3; c++) {
        double above = across(r0 + c0, r0 + c1, r0 + c2, r0 + c3, dx);
        double upper = across(r1 + c0, r1 + c1, r1 + c2, r1 + c3, dx);
        double lower = across(r2 + c0, r2 + c1, r2 + c2, r2 + c3, dx);
        double below = across(r3 + c0, r3 + c1, r3 + c2, r3 + c3, dx);
        out[at + c] = clip(cubic(above, upper, lower, below, dy));
        c0++;
        c1++;
        c2++;
        c3++;
      }
    }

    private static byte clip(double value) {
      return (byte) (value <= 0 ? 0 : value >= 255 ? 255 : (int) value);
    }

    /** Between four neighbours of a row; differences of bytes are exact in integers too. */
    private double across(int at0, int at1, int at2, int at3, double dx) {
      int b = value(at1);
      if (dx == 0) {
        return b;
      }
      int a = value(at0);
      int c = value(at2);
      int d = value(at3);
      int p2 = c - a;
      int p3 = 2 * (a - b) + c - d;
      int p4 = b - a - c + d;
      return b + dx * (p2 + dx * (p3 + dx * p4));
    }

    private static double cubic(double a, double b, double c, double d, double t) {
      double p2 = -a + c;
      double p3 = 2 * (a - b) + c - d;
      double p4 = -a + b - c + d;
      return b + t * (p2 + t * (p3 + t * p4));
    }
  }
}
