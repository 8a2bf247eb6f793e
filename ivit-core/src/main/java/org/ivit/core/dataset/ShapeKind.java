package org.ivit.core.dataset;

import java.awt.Shape;
import java.awt.geom.AffineTransform;
import java.awt.geom.Area;
import java.awt.geom.Ellipse2D;
import java.awt.geom.Path2D;
import java.awt.geom.Rectangle2D;
import java.util.Locale;

/** The outlines of the procedural pictures, about the origin, within a circle of radius 1. */
enum ShapeKind {
  BARS,
  CRESCENT,
  CROSS,
  DISC,
  HEART,
  HOURGLASS,
  RING,
  SQUARE,
  STAR,
  TRIANGLE;

  /** The name of the class. */
  String key() {
    return name().toLowerCase(Locale.ROOT);
  }

  Shape outline() {
    return switch (this) {
      case BARS -> union(box(-0.85, -0.72, 1.7, 0.5), box(-0.85, 0.22, 1.7, 0.5));
      case CRESCENT -> without(circle(0, 0, 0.95), circle(0.5, 0, 0.78));
      case CROSS -> union(box(-0.95, -0.27, 1.9, 0.54), box(-0.27, -0.95, 0.54, 1.9));
      case DISC -> circle(0, 0, 0.8);
      case HEART -> heart();
      case HOURGLASS ->
          union(
              polygon(-0.75, -0.85, 0.75, -0.85, 0, 0.12),
              polygon(-0.75, 0.85, 0.75, 0.85, 0, -0.12));
      case RING -> without(circle(0, 0, 0.92), circle(0, 0, 0.52));
      case SQUARE -> box(-0.7, -0.7, 1.4, 1.4);
      case STAR -> star();
      case TRIANGLE -> polygon(0, -1, 0.87, 0.5, -0.87, 0.5);
    };
  }

  private static Shape circle(double x, double y, double radius) {
    return new Ellipse2D.Double(x - radius, y - radius, 2 * radius, 2 * radius);
  }

  private static Shape box(double x, double y, double width, double height) {
    return new Rectangle2D.Double(x, y, width, height);
  }

  private static Shape union(Shape a, Shape b) {
    Area area = new Area(a);
    area.add(new Area(b));
    return area;
  }

  private static Shape without(Shape a, Shape b) {
    Area area = new Area(a);
    area.subtract(new Area(b));
    return area;
  }

  private static Shape polygon(double... xy) {
    Path2D path = new Path2D.Double();
    path.moveTo(xy[0], xy[1]);
    for (int i = 2; i < xy.length; i += 2) {
      path.lineTo(xy[i], xy[i + 1]);
    }
    path.closePath();
    return path;
  }

  private static Shape star() {
    double[] xy = new double[20];
    for (int i = 0; i < 10; i++) {
      double radius = i % 2 == 0 ? 1 : 0.4;
      xy[2 * i] = radius * StrictMath.sin(i * Math.PI / 5);
      xy[2 * i + 1] = -radius * StrictMath.cos(i * Math.PI / 5);
    }
    return polygon(xy);
  }

  private static Shape heart() {
    Path2D path = new Path2D.Double();
    path.moveTo(0, 0.95);
    path.curveTo(-1.3, 0.05, -0.95, -0.95, -0.45, -0.8);
    path.curveTo(-0.2, -0.75, 0, -0.5, 0, -0.25);
    path.curveTo(0, -0.5, 0.2, -0.75, 0.45, -0.8);
    path.curveTo(0.95, -0.95, 1.3, 0.05, 0, 0.95);
    path.closePath();
    return AffineTransform.getScaleInstance(0.95, 0.95).createTransformedShape(path);
  }
}
