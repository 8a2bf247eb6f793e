package org.ivit.train.report;

import static org.ivit.train.report.Html.escape;
import static org.ivit.train.report.Numbers.coordinate;

import java.util.Arrays;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * One curve as SVG, {@value #WIDTH} by {@value #HEIGHT} units, drawn by the classes of {@code
 * chart.css}. One chart has one quantity: values of two kinds never share an axis. Few points are
 * marked one by one; the value of the last stands above.
 *
 * @param title of the chart, such as {@code validation loss}
 * @param xTitle what x counts
 * @param x of the points, ascending
 * @param y of the points; those that are not finite are left out
 * @param percent whether y is a fraction to be shown in percent
 */
public record LineChart(String title, String xTitle, double[] x, double[] y, boolean percent) {
  /** Width of the drawing in its own units, which are pixels at the scale 1. */
  public static final int WIDTH = 400;

  /** Its height. */
  public static final int HEIGHT = 220;

  private static final int LEFT = 54;
  private static final int RIGHT = 16;
  private static final int TOP = 18;
  private static final int BOTTOM = 40;
  private static final int TICKS = 5;

  /** More points are not marked. */
  private static final int MARKED = 40;

  /** Keeps the points whose y is finite. */
  public LineChart {
    double[] allX = x;
    double[] allY = y;
    int[] known = IntStream.range(0, allX.length).filter(i -> Double.isFinite(allY[i])).toArray();
    x = IntStream.of(known).mapToDouble(i -> allX[i]).toArray();
    y = IntStream.of(known).mapToDouble(i -> allY[i]).toArray();
  }

  /** Whether there is nothing to draw. */
  public boolean isEmpty() {
    return x.length == 0;
  }

  /** The same with neighbours averaged, so that at most {@code points} are left. */
  public LineChart thinned(int points) {
    if (x.length <= points) {
      return this;
    }
    double[] meanX = new double[points];
    double[] meanY = new double[points];
    for (int p = 0; p < points; p++) {
      int from = (int) ((long) p * x.length / points);
      int to = (int) ((long) (p + 1) * x.length / points);
      for (int i = from; i < to; i++) {
        meanX[p] += x[i] / (to - from);
        meanY[p] += y[i] / (to - from);
      }
    }
    return new LineChart(title, xTitle, meanX, meanY, percent);
  }

  /**
   * Draws the chart.
   *
   * @param end where the horizontal axis ends, which begins at 0: charts of one run share it
   * @param place attributes of the SVG element that say where it lies in another, or ""
   */
  public String draw(double end, String place) {
    StringBuilder svg = new StringBuilder();
    svg.append("<svg class=\"chart\" role=\"img\" viewBox=\"0 0 " + WIDTH + " " + HEIGHT)
        .append("\" aria-label=\"" + escape(title) + "\" " + place + ">\n");
    if (isEmpty()) {
      text(svg, WIDTH / 2.0, HEIGHT / 2.0, "middle", "", "none yet");
      return svg.append("</svg>").toString();
    }
    Axis vertical = vertical();
    Axis horizontal = horizontal(end);
    Scale across = new Scale(horizontal.from, horizontal.to, LEFT, WIDTH - RIGHT);
    Scale up = new Scale(vertical.from, vertical.to, HEIGHT - BOTTOM, TOP);
    for (double value : vertical.ticks()) {
      String at = coordinate(up.at(value));
      svg.append("<path class=\"grid\" stroke=\"#ccc\" d=\"M" + LEFT + " " + at)
          .append("H" + (WIDTH - RIGHT) + "\"/>");
      text(svg, LEFT - 6, up.at(value) + 4, "end", "", label(value, vertical.step));
    }
    for (double value : horizontal.ticks()) {
      double at = across.at(value);
      svg.append("<path class=\"axis\" stroke=\"#888\" d=\"M" + coordinate(at) + " ")
          .append((HEIGHT - BOTTOM) + "v4\"/>");
      text(svg, at, HEIGHT - BOTTOM + 17, "middle", "", number(value, horizontal.step));
    }
    text(svg, (LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 5, "middle", "", xTitle);
    svg.append("<path class=\"axis\" stroke=\"#888\" d=\"M" + LEFT + " " + (HEIGHT - BOTTOM))
        .append("H" + (WIDTH - RIGHT) + "\"/>\n");
    curve(svg, across, up);
    return svg.append("</svg>").toString();
  }

  private void curve(StringBuilder svg, Scale across, Scale up) {
    StringBuilder points = new StringBuilder();
    for (int i = 0; i < x.length; i++) {
      points.append(coordinate(across.at(x[i])) + "," + coordinate(up.at(y[i])) + " ");
    }
    svg.append("<polyline class=\"line\" fill=\"none\" stroke=\"#2166ac\" points=\"")
        .append(points.toString().strip() + "\"/>");
    int last = x.length - 1;
    for (int i = x.length <= MARKED ? 0 : last; i <= last; i++) {
      svg.append("<circle class=\"dot\" fill=\"#2166ac\" r=\"3\" cx=\"")
          .append(coordinate(across.at(x[i])) + "\" cy=\"" + coordinate(up.at(y[i])) + "\"/>");
    }
    // In the corner above the drawing, where no curve can run through it.
    String value = percent ? Numbers.percent(y[last]) : Numbers.value(y[last]);
    text(svg, WIDTH - RIGHT, TOP - 6, "end", "value", "last " + value);
    svg.append('\n');
  }

  /** From round number to round number around the values; a single value has a step about it. */
  private Axis vertical() {
    double min = Arrays.stream(y).min().orElseThrow();
    double max = Arrays.stream(y).max().orElseThrow();
    if (min == max) {
      double margin = min == 0 ? 1 : Math.abs(min) / 50;
      min -= margin;
      max += margin;
    }
    double step = step((max - min) / TICKS);
    double from = Math.floor(min / step + 1e-9) * step;
    double to = Math.max(from + step, Math.ceil(max / step - 1e-9) * step);
    if (percent) {
      from = Math.max(0, from);
      to = Math.min(1, to);
    }
    return new Axis(from, to, step);
  }

  /** From 0; whole numbers only where it reaches 1, as epochs do. */
  private static Axis horizontal(double end) {
    double to = end > 0 ? end : 1;
    return new Axis(0, to, to >= 1 ? Math.max(1, step(to / TICKS)) : step(to / TICKS));
  }

  private String label(double value, double step) {
    return percent ? Numbers.value(Math.round(value * 1e6) / 1e4) + " %" : number(value, step);
  }

  private static String number(double value, double step) {
    return Numbers.value(Math.round(value / step * 1000) / 1000.0 * step);
  }

  private static void text(
      StringBuilder svg, double x, double y, String anchor, String kind, String text) {
    svg.append("<text" + (kind.isEmpty() ? "" : " class=\"" + kind + "\""))
        .append(" x=\"" + coordinate(x) + "\" y=\"" + coordinate(y) + "\" text-anchor=\"")
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

  /** An axis and the distance of its ticks, which are multiples of it. */
  private record Axis(double from, double to, double step) {
    double[] ticks() {
      long first = (long) Math.ceil(from / step - 1e-9);
      long last = (long) Math.floor(to / step + 1e-9);
      return LongStream.rangeClosed(first, last).mapToDouble(i -> i * step).toArray();
    }
  }

  /** From values to coordinates. */
  private record Scale(double min, double max, double from, double to) {
    double at(double value) {
      return from + (value - min) / (max - min) * (to - from);
    }
  }
}
