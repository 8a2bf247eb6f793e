package org.ivit.export.report;

import static org.ivit.train.report.Numbers.coordinate;

import java.util.List;
import org.ivit.train.report.Numbers;
import org.ivit.train.report.Table;

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
    Table table =
        new Table(
                "Range of each node (the bar: from minimum to maximum, linear near zero,"
                    + " logarithmic beyond ±1; full width ±"
                    + Numbers.value(largest)
                    + ")",
                "nodes sortable")
            .words("node")
            .numbers("bits")
            .numbers("minimum")
            .numbers("maximum")
            .numbers("scale")
            .numbers("outlier channels")
            .bars("range");
    for (Report.NodeRange r : ranges) {
      table
          .row(r.name())
          .cell(Integer.toString(r.bits()))
          .cell(r.min(), Numbers.value(r.min()))
          .cell(r.max(), Numbers.value(r.max()))
          .cell(r.scale(), Numbers.value(r.scale()))
          .cell(r.outliers(), r.outliers() == 0 ? "" : r.outliers() + " (k = " + r.shift() + ")")
          .drawing(bar(r, end));
    }
    return table.html(true);
  }

  private static String bar(Report.NodeRange r, double end) {
    double from = WIDTH / 2.0 * (1 + asinh(r.min()) / end);
    double to = WIDTH / 2.0 * (1 + asinh(r.max()) / end);
    return ("<svg class=\"range\" viewBox=\"0 0 %d %d\" aria-hidden=\"true\"><path class=\"grid\""
            + " d=\"M%d 0V%d\"/><rect class=\"b%d\" x=\"%s\" width=\"%s\" y=\"3\""
            + " height=\"8\"/></svg>")
        .formatted(
            WIDTH,
            HEIGHT,
            WIDTH / 2,
            HEIGHT,
            r.bits(),
            coordinate(from),
            coordinate(Math.max(1, to - from)));
  }

  private static double asinh(double v) {
    return Math.signum(v) * Math.log(Math.abs(v) + Math.sqrt(v * v + 1));
  }
}
