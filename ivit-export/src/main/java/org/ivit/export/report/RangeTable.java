package org.ivit.export.report;

import static org.ivit.export.report.Html.escape;
import static org.ivit.export.report.Numbers.coordinate;

import java.util.List;

/**
 * Ranges by node: numbers, and a bar on a scale that is linear near zero and logarithmic beyond.
 */
final class RangeTable {
  private static final int WIDTH = 260;
  private static final int HEIGHT = 14;

  private RangeTable() {}

  static String draw(List<Report.NodeRange> ranges) {
    double largest = 1e-6;
    for (Report.NodeRange range : ranges) {
      largest = Math.max(largest, Math.max(Math.abs(range.min()), Math.abs(range.max())));
    }
    double end = asinh(largest);
    StringBuilder html = new StringBuilder();
    html.append("<div class=\"scroll tall\"><table class=\"ranges\">")
        .append("<caption>Range of each node (the bar: from minimum to maximum, linear near zero, ")
        .append("logarithmic beyond ±1; full width ±")
        .append(Numbers.value(largest))
        .append(
            ")</caption>\n<thead><tr><th scope=\"col\">node</th><th class=\"number\" scope=\"col\">bits</th>")
        .append(
            "<th class=\"number\" scope=\"col\">minimum</th><th class=\"number\" scope=\"col\">maximum</th>")
        .append(
            "<th class=\"number\" scope=\"col\">scale</th><th class=\"number\" scope=\"col\">outlier channels</th>")
        .append("<th scope=\"col\">range</th></tr></thead>\n<tbody>");
    for (Report.NodeRange r : ranges) {
      html.append("<tr><th scope=\"row\">").append(escape(r.name())).append("</th>");
      number(html, Integer.toString(r.bits()));
      number(html, Numbers.value(r.min()));
      number(html, Numbers.value(r.max()));
      number(html, Numbers.value(r.scale()));
      number(html, r.outliers() == 0 ? "" : r.outliers() + " (k = " + r.shift() + ")");
      double from = WIDTH / 2.0 * (1 + asinh(r.min()) / end);
      double to = WIDTH / 2.0 * (1 + asinh(r.max()) / end);
      html.append(
              "<td><svg class=\"bar\" viewBox=\"0 0 "
                  + WIDTH
                  + " "
                  + HEIGHT
                  + "\" aria-hidden=\"true\">")
          .append("<line class=\"grid\" x1=\"" + WIDTH / 2 + "\" x2=\"" + WIDTH / 2)
          .append("\" y1=\"0\" y2=\"" + HEIGHT + "\"/><rect class=\"b" + r.bits() + "\" x=\"")
          .append(coordinate(from))
          .append("\" width=\"")
          .append(coordinate(Math.max(1, to - from)))
          .append("\" y=\"3\" height=\"8\"/></svg></td></tr>\n");
    }
    return html.append("</tbody></table></div>").toString();
  }

  private static void number(StringBuilder html, String text) {
    html.append("<td class=\"number\">").append(text).append("</td>");
  }

  private static double asinh(double v) {
    return Math.signum(v) * Math.log(Math.abs(v) + Math.sqrt(v * v + 1));
  }
}
