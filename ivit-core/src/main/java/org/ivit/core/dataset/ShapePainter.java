package org.ivit.core.dataset;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.GradientPaint;
import java.awt.Graphics2D;
import java.awt.Paint;
import java.awt.RenderingHints;
import java.awt.Shape;
import java.awt.TexturePaint;
import java.awt.geom.AffineTransform;
import java.awt.geom.Area;
import java.awt.geom.CubicCurve2D;
import java.awt.geom.Rectangle2D;
import java.awt.image.BufferedImage;
import java.util.SplittableRandom;
import org.ivit.core.image.Rgb;

/** Draws one procedural picture with Java2D, in memory and without a display. */
final class ShapePainter {
  static {
    // Java2D asks for a display unless told that there is none.
    if (System.getProperty("java.awt.headless") == null) {
      System.setProperty("java.awt.headless", "true");
    }
  }

  private final int size;
  private final ProceduralPictures.Strengths strengths;

  ShapePainter(int size, ProceduralPictures.Strengths strengths) {
    this.size = size;
    this.strengths = strengths;
  }

  Rgb paint(ShapeKind kind, long seed, long number) {
    SplittableRandom random = new SplittableRandom(mix(mix(seed) + number));
    int[] back = colour(random);
    int[] fore = colour(random);
    while (luminance(fore) - luminance(back) < strengths.contrast()) {
      back = colour(random);
      fore = colour(random);
    }
    if (random.nextDouble() < strengths.dark()) {
      int[] lighter = fore;
      fore = back;
      back = lighter;
    }
    BufferedImage image = new BufferedImage(size, size, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = image.createGraphics();
    try {
      graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
      graphics.setRenderingHint(
          RenderingHints.KEY_STROKE_CONTROL, RenderingHints.VALUE_STROKE_PURE);
      background(graphics, random, back);
      shape(graphics, random, kind, fore, back);
    } finally {
      graphics.dispose();
    }
    return noisy(image, random);
  }

  /** The finalizer of SplitMix64, so that near seeds and numbers give unrelated pictures. */
  private static long mix(long value) {
    long z = value + 0x9e3779b97f4a7c15L;
    z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return z ^ (z >>> 31);
  }

  private static int[] colour(SplittableRandom random) {
    return new int[] {random.nextInt(256), random.nextInt(256), random.nextInt(256)};
  }

  private static double luminance(int[] colour) {
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2];
  }

  private static Color near(SplittableRandom random, int[] colour, int spread) {
    int[] c = new int[3];
    int shade = random.nextInt(-spread, spread + 1);
    for (int i = 0; i < 3; i++) {
      int value = colour[i] + shade + random.nextInt(-spread / 3, spread / 3 + 1);
      c[i] = Math.max(0, Math.min(255, value));
    }
    return new Color(c[0], c[1], c[2]);
  }

  private void background(Graphics2D graphics, SplittableRandom random, int[] back) {
    double angle = random.nextDouble(2 * Math.PI);
    float dx = (float) (StrictMath.cos(angle) * size / 2);
    float dy = (float) (StrictMath.sin(angle) * size / 2);
    float middle = size / 2f;
    graphics.setPaint(
        new GradientPaint(
            middle - dx,
            middle - dy,
            near(random, back, 30),
            middle + dx,
            middle + dy,
            near(random, back, 30)));
    graphics.fillRect(0, 0, size, size);
    for (int i = 0; i < strengths.clutter(); i++) {
      double[] p = new double[8];
      for (int k = 0; k < p.length; k++) {
        p[k] = random.nextDouble(-0.2, 1.2) * size;
      }
      graphics.setPaint(near(random, back, 60));
      graphics.setStroke(
          new BasicStroke(
              (float) (random.nextDouble(0.03, 0.09) * size),
              BasicStroke.CAP_ROUND,
              BasicStroke.JOIN_ROUND));
      graphics.draw(new CubicCurve2D.Double(p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7]));
    }
  }

  private void shape(
      Graphics2D graphics, SplittableRandom random, ShapeKind kind, int[] fore, int[] back) {
    double radius = random.nextDouble(0.36, 0.44) * size;
    double room = (size / 2.0 - radius) * strengths.shift();
    double x = size / 2.0 + random.nextDouble(-1, 1) * room;
    double y = size / 2.0 + random.nextDouble(-1, 1) * room;
    AffineTransform place = AffineTransform.getTranslateInstance(x, y);
    place.rotate(Math.toRadians(strengths.rotation()) * random.nextDouble(-1, 1));
    place.scale(radius * random.nextDouble(0.85, 1), radius * random.nextDouble(0.85, 1));
    Area outline = new Area(place.createTransformedShape(kind.outline()));
    double hidden = strengths.hidden() * random.nextDouble(0.5, 1);
    if (hidden > 0) {
      // Not through the middle, where it would make a pair of bars of a square.
      double offset = random.nextDouble(0.25, 0.9);
      AffineTransform across = new AffineTransform(place);
      across.rotate(random.nextDouble(2 * Math.PI));
      Shape band = new Rectangle2D.Double(-3, offset - hidden / 2, 6, hidden);
      Shape hiding = across.createTransformedShape(band);
      outline.subtract(new Area(hiding));
      graphics.setPaint(near(random, back, 50));
      graphics.fill(hiding);
    }
    graphics.setPaint(texture(random, fore));
    graphics.fill(outline);
  }

  /** Stripes, checks, dots or a gradient in shades of one colour. */
  private Paint texture(SplittableRandom random, int[] colour) {
    Color one = near(random, colour, 45);
    Color two = near(random, colour, 45);
    int style = random.nextInt(4);
    int cell = Math.max(2, (int) (random.nextDouble(0.05, 0.14) * size));
    if (style == 3) {
      return new GradientPaint(
          0, 0, one, (float) random.nextDouble(-size, size), (float) size, two);
    }
    BufferedImage tile = new BufferedImage(2 * cell, 2 * cell, BufferedImage.TYPE_INT_RGB);
    for (int y = 0; y < 2 * cell; y++) {
      for (int x = 0; x < 2 * cell; x++) {
        boolean on =
            switch (style) {
              case 0 -> x < cell;
              case 1 -> y < cell;
              default -> (x < cell) == (y < cell);
            };
        tile.setRGB(x, y, (on ? one : two).getRGB());
      }
    }
    return new TexturePaint(
        tile,
        new Rectangle2D.Double(random.nextInt(cell), random.nextInt(cell), 2.0 * cell, 2.0 * cell));
  }

  private Rgb noisy(BufferedImage image, SplittableRandom random) {
    int[] pixels = image.getRGB(0, 0, size, size, null, 0, size);
    byte[] out = new byte[3 * size * size];
    for (int i = 0; i < pixels.length; i++) {
      for (int c = 0; c < 3; c++) {
        int value = pixels[i] >> (16 - 8 * c) & 0xff;
        // Four uniforms make a bell of variance 1/3 that is the same on every machine.
        double bell =
            random.nextDouble()
                + random.nextDouble()
                + random.nextDouble()
                + random.nextDouble()
                - 2;
        double noised = value + strengths.noise() * bell * 1.7320508075688772;
        out[3 * i + c] = (byte) Math.max(0, Math.min(255, Math.round(noised)));
      }
    }
    return new Rgb(size, size, out);
  }
}
