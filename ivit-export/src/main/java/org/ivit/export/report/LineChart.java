package org.ivit.export.report;

import static org.ivit.export.report.Html.escape;
import static org.ivit.export.report.Numbers.coordinate;

import java.util.List;
import java.util.stream.IntStream;

/**
 * Lines over a common horizontal axis, as SVG. Lines differ in colour and in dashes, so that they
 * can be told apart without colour.
 */
final class LineChart {
  private static final int WIDTH = 520;
  private static final int HEIGHT = 260;
  private static final int LEFT = 58;
  private static final int RIGHT = 14;
  private static final int TOP = 14;
  private static final int BOTTOM = 44;
  private static final int TICKS = 5;

  private LineChart() {}

  /** One curve; points whose y is NaN are left out. */
  record Line(String name, double[] x, double[] y) {
    /** The same with neighbours averaged, so that at most {@code points} are left. */
    Line thinned(int points) {
      int[] known = IntStream.range(0, x.length).filter(i -> Double.isFinite(y[i])).toArray();
      if (known.length <= points) {
        return this;
      }
      double[] meanX = new double[points];
      double[] meanY = new double[points];
      for (int p = 0; p < points; p++) {
        int from = (int) ((long) p * known.length / points);
        int to = (int) ((long) (p + 1) * known.length / points);
        for (int i = from; i < to; i++) {
          meanX[p] += x[known[i]] / (to - from);
          meanY[p] += y[known[i]] / (to - from);
        }
      }
      return new Line(name, meanX, meanY);
    }
  }

  /**
   * Draws the lines.
   *
   * @param percent whether y is a fraction to be shown in percent
   */
  static String draw(String title, String xTitle, List<Line> lines, boolean percent) {
    double xMin = Double.POSITIVE_INFINITY;
    double xMax = Double.NEGATIVE_INFINITY;
    double yMin = Double.POSITIVE_INFINITY;
    double yMax = Double.NEGATIVE_INFINITY;
    for (Line line : lines) {
      for (int i = 0; i < line.x().length; i++) {
        if (Double.isFinite(line.y()[i])) {
          xMin = Math.min(xMin, line.x()[i]);
          xMax = Math.max(xMax, line.x()[i]);
          yMin = Math.min(yMin, line.y()[i]);
          yMax = Math.max(yMax, line.y()[i]);
        }
      }
    }
    if (xMin > xMax) {
      return "";
    }
    if (xMin == xMax) {
      xMin -= 0.5;
      xMax += 0.5;
    }
    if (yMin == yMax) {
      // A single value stands in the middle of a narrow axis.
      double margin = yMin == 0 ? 1 : Math.abs(yMin) / 50;
      yMin -= margin;
      yMax = percent ? Math.min(1, yMax + margin) : yMax + margin;
    }
    double step = step((yMax - yMin) / TICKS);
    yMin = Math.floor(yMin / step) * step;
    yMax = Math.max(yMin + step, Math.ceil(yMax / step) * step);
    Scale x = new Scale(xMin, xMax, LEFT, WIDTH - RIGHT);
    Scale y = new Scale(yMin, yMax, HEIGHT - BOTTOM, TOP);

    StringBuilder svg = new StringBuilder();
    svg.append("<svg class=\"chart\" role=\"img\" viewBox=\"0 0 ")
        .append(WIDTH + " " + HEIGHT)
        .append("\" aria-label=\"")
        .append(escape(title))
        .append("\">\n");
    for (long i = 0; yMin + i * step <= yMax + step / 2; i++) {
      double value = yMin + i * step;
      String at = coordinate(y.at(value));
      svg.append("<line class=\"grid\" x1=\"" + LEFT + "\" x2=\"" + (WIDTH - RIGHT) + "\" y1=\"")
          .append(at)
          .append("\" y2=\"")
          .append(at)
          .append("\"/>");
      text(
          svg,
          LEFT - 6,
          y.at(value) + 4,
          "end",
          percent
              ? Numbers.value(Math.round(value * 1e6) / 1e4) + " %"
              : Numbers.value(round(value, step)));
    }
    double xStep = step((xMax - xMin) / TICKS);
    for (double value = Math.ceil(xMin / xStep) * xStep; value <= xMax + 1e-9; value += xStep) {
      text(svg, x.at(value), HEIGHT - BOTTOM + 16, "middle", Numbers.value(round(value, xStep)));
    }
    text(svg, (LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 8, "middle", xTitle);
    svg.append("<line class=\"axis\" x1=\"" + LEFT + "\" x2=\"" + (WIDTH - RIGHT) + "\" y1=\"")
        .append((HEIGHT - BOTTOM) + "\" y2=\"" + (HEIGHT - BOTTOM) + "\"/>\n");
    for (int i = 0; i < lines.size(); i++) {
      line(svg, lines.get(i), i, x, y);
    }
    svg.append("</svg>");
    svg.append("<ul class=\"legend\">");
    for (int i = 0; i < lines.size(); i++) {
      svg.append(
              "<li><svg viewBox=\"0 0 28 8\" aria-hidden=\"true\"><line x1=\"0\" x2=\"28\" y1=\"4\" y2=\"4\" class=\"line l")
          .append(i % 6)
          .append("\"/></svg>")
          .append(escape(lines.get(i).name()))
          .append("</li>");
    }
    return svg.append("</ul>").toString();
  }

  private static void line(StringBuilder svg, Line line, int index, Scale x, Scale y) {
    StringBuilder points = new StringBuilder();
    int count = 0;
    double lastX = 0;
    double lastY = 0;
    for (int i = 0; i < line.x().length; i++) {
      if (Double.isFinite(line.y()[i])) {
        lastX = x.at(line.x()[i]);
        lastY = y.at(line.y()[i]);
        points.append(coordinate(lastX)).append(',').append(coordinate(lastY)).append(' ');
        count++;
      }
    }
    svg.append("<polyline class=\"line l" + index % 6 + "\" points=\"")
        .append(points.toString().strip())
        .append("\"/>");
    if (count == 1) {
      svg.append("<circle class=\"dot d" + index % 6 + "\" r=\"3\" cx=\"")
          .append(coordinate(lastX) + "\" cy=\"" + coordinate(lastY) + "\"/>");
    }
    svg.append('\n');
  }

  private static void text(StringBuilder svg, double x, double y, String anchor, String text) {
    svg.append("<text x=\"" + coordinate(x) + "\" y=\"" + coordinate(y) + "\" text-anchor=\"")
        .append(anchor + "\">" + escape(text) + "</text>");
  }

  /** The next of 1, 2, 5 times a power of ten. */
  static double step(double least) {
    if (!(least > 0)) {
      return 1;
    }
    double power = Math.pow(10, Math.floor(Math.log10(least)));
    for (double factor : new double[] {1, 2, 5}) {
      if (factor * power >= least * (1 - 1e-9)) {
        return factor * power;
      }
    }
    return 10 * power;
  }

  private static double round(double value, double step) {
    return Math.round(value / step * 1000) / 1000.0 * step;
  }

  /** From values to coordinates. */
  private record Scale(double min, double max, double from, double to) {
    double at(double value) {
      return from + (value - min) / (max - min) * (to - from);
    }
  }
}
