package org.ivit.train.loop;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.ivit.core.io.AtomicFiles;
import org.ivit.core.io.FileFailures;

/**
 * {@code learning-curve.svg}: loss and validation top-1 over the epochs of a {@code metrics.csv}.
 * The loss of a run of many steps is averaged over bins, so the picture stays small.
 */
final class LearningCurve {
  private static final int BINS = 400;
  private static final int WIDTH = 720;
  private static final int PANEL = 220;
  private static final int LEFT = 60;
  private static final int RIGHT = 20;
  private static final int TOP = 30;
  private static final int GAP = 50;

  private record Point(double x, double y) {}

  private LearningCurve() {}

  /**
   * Draws the curves.
   *
   * @param metrics the file of {@link MetricsLog}
   * @param svg the file to write or replace
   * @throws UncheckedIOException if one cannot be read or the other written
   */
  static void draw(Path metrics, Path svg) {
    List<Point> loss = new ArrayList<>();
    List<Point> validationLoss = new ArrayList<>();
    List<Point> top1 = new ArrayList<>();
    try {
      for (String line : Files.readAllLines(metrics)) {
        String[] fields = line.split(",", -1);
        if (fields.length < 8 || !Character.isDigit(fields[0].charAt(0))) {
          continue;
        }
        double epoch = Double.parseDouble(fields[1]);
        add(loss, epoch, fields[2], 1);
        add(top1, epoch, fields[6], 100);
        add(validationLoss, epoch, fields[7], 1);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(metrics + ": cannot be read: " + FileFailures.reason(e), e);
    }
    String text = svg(binned(loss), validationLoss, top1);
    AtomicFiles.write(svg, out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
  }

  private static void add(List<Point> points, double x, String value, double factor) {
    if (!value.isEmpty() && Double.isFinite(Double.parseDouble(value))) {
      points.add(new Point(x, Double.parseDouble(value) * factor));
    }
  }

  private static List<Point> binned(List<Point> points) {
    if (points.size() <= BINS) {
      return points;
    }
    List<Point> means = new ArrayList<>();
    for (int bin = 0; bin < BINS; bin++) {
      int from = (int) ((long) bin * points.size() / BINS);
      int to = (int) ((long) (bin + 1) * points.size() / BINS);
      double x = 0;
      double y = 0;
      for (Point point : points.subList(from, to)) {
        x += point.x() / (to - from);
        y += point.y() / (to - from);
      }
      means.add(new Point(x, y));
    }
    return means;
  }

  private static String svg(List<Point> loss, List<Point> validationLoss, List<Point> top1) {
    int height = TOP + 2 * PANEL + GAP + 40;
    double end = 1e-9;
    for (List<Point> points : List.of(loss, validationLoss, top1)) {
      for (Point point : points) {
        end = Math.max(end, point.x());
      }
    }
    StringBuilder svg =
        new StringBuilder(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n"
                .formatted(WIDTH, height, WIDTH, height));
    panel(svg, TOP, "loss (dashed: validation)", end, List.of(loss, validationLoss));
    panel(svg, TOP + PANEL + GAP, "validation top-1, %", end, List.of(top1));
    text(svg, (LEFT + WIDTH - RIGHT) / 2.0, height - 8, "middle", "epoch");
    return svg.append("</svg>\n").toString();
  }

  private static void panel(
      StringBuilder svg, int top, String title, double end, List<List<Point>> lines) {
    double min = Double.POSITIVE_INFINITY;
    double max = Double.NEGATIVE_INFINITY;
    for (List<Point> line : lines) {
      for (Point point : line) {
        min = Math.min(min, point.y());
        max = Math.max(max, point.y());
      }
    }
    text(svg, LEFT, top - 8, "start", title);
    int bottom = top + PANEL;
    svg.append(
        "<path d=\"M%d %dV%dH%d\" fill=\"none\" stroke=\"#888\"/>\n"
            .formatted(LEFT, top, bottom, WIDTH - RIGHT));
    if (min > max) {
      text(svg, (LEFT + WIDTH - RIGHT) / 2.0, top + PANEL / 2.0, "middle", "none yet");
      return;
    }
    double span = max > min ? max - min : 1;
    for (int i = 0; i <= 4; i++) {
      double y = bottom - i * PANEL / 4.0;
      text(svg, LEFT - 6, y + 4, "end", number(min + span * i / 4));
      text(
          svg, LEFT + (WIDTH - RIGHT - LEFT) * i / 4.0, bottom + 16, "middle", number(end * i / 4));
    }
    String[] styles = {"stroke=\"#1f5fa8\"", "stroke=\"#b3541e\" stroke-dasharray=\"5 3\""};
    for (int i = 0; i < lines.size(); i++) {
      StringBuilder points = new StringBuilder();
      for (Point point : lines.get(i)) {
        double x = LEFT + (WIDTH - RIGHT - LEFT) * point.x() / end;
        double y = bottom - PANEL * (point.y() - min) / span;
        points.append(String.format(Locale.ROOT, "%.1f,%.1f ", x, y));
        if (lines.get(i).size() == 1) {
          svg.append(
              String.format(
                  Locale.ROOT, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"#333\"/>%n", x, y));
        }
      }
      svg.append(
          "<polyline points=\"%s\" fill=\"none\" %s stroke-width=\"1.5\"/>\n"
              .formatted(points.toString().strip(), styles[i]));
    }
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, "%.3g", value);
  }

  private static void text(StringBuilder svg, double x, double y, String anchor, String text) {
    svg.append(
        String.format(
            Locale.ROOT,
            "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n",
            x,
            y,
            anchor,
            text));
  }
}
