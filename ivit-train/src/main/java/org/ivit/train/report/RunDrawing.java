package org.ivit.train.report;

import static org.ivit.train.report.Html.escape;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.ivit.core.io.AtomicFiles;

/** The charts of a run, one below the other, as an SVG file in light and dark. */
public final class RunDrawing {
  private static final int TITLE = 28;
  private static final int EDGE = 8;

  /** So wide at most; letters are then half as large again as in a page. */
  private static final int MOST_WIDTH = 600;

  private RunDrawing() {}

  /**
   * Draws the charts of a {@code metrics.csv}.
   *
   * @param metrics of the run
   * @param svg the file to write or replace
   * @throws java.io.UncheckedIOException if it cannot be written
   */
  public static void write(Metrics metrics, Path svg) {
    byte[] text = draw(metrics).getBytes(StandardCharsets.UTF_8);
    AtomicFiles.write(svg, out -> out.write(text));
  }

  static String draw(Metrics metrics) {
    List<LineChart> charts = RunCharts.all(metrics).toList();
    int width = LineChart.WIDTH + 2 * EDGE;
    int height = charts.size() * (TITLE + LineChart.HEIGHT) + EDGE;
    StringBuilder svg = new StringBuilder();
    svg.append("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + MOST_WIDTH)
        .append("\" height=\"" + MOST_WIDTH * height / width + "\" viewBox=\"0 0 ")
        .append(width + " " + height + "\" font-family=\"sans-serif\" font-size=\"12\">\n<style>\n")
        .append(Resources.chartStyle())
        .append(":root { max-width: 100%; height: auto; background: var(--page); }\n</style>\n")
        .append("<rect class=\"page\" width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n");
    int y = 0;
    for (LineChart chart : charts) {
      svg.append("<text class=\"title\" x=\"" + EDGE + "\" y=\"" + (y + 20) + "\">")
          .append(escape(chart.title()))
          .append("</text>\n")
          .append(
              chart.draw(
                  RunCharts.end(metrics),
                  "x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\""
                      .formatted(EDGE, y + TITLE, LineChart.WIDTH, LineChart.HEIGHT)))
          .append('\n');
      y += TITLE + LineChart.HEIGHT;
    }
    return svg.append("</svg>\n").toString();
  }
}
