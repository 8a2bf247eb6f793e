package org.ivit.export.report;

import static org.ivit.train.report.Html.escape;

import java.util.List;
import java.util.Locale;
import org.ivit.export.evaluate.ConfusionMatrix;
import org.ivit.train.report.Table;

/** A confusion matrix: all of it for few classes, the most frequent confusions for many. */
final class ConfusionChart {
  /** Up to so many classes the whole matrix is shown. */
  static final int WHOLE = 20;

  private static final int WORST = 20;

  private ConfusionChart() {}

  static String draw(ConfusionMatrix matrix, List<String> names, String caption) {
    return matrix.classes() <= WHOLE
        ? whole(matrix, names, caption)
        : worst(matrix, names, caption);
  }

  private static String whole(ConfusionMatrix matrix, List<String> names, String caption) {
    StringBuilder html = new StringBuilder();
    html.append("<div class=\"scroll\" tabindex=\"0\"><table class=\"confusion\"><caption><span>")
        .append(escape(caption + " (rows: the class, columns: the answer)"))
        .append("</span></caption>\n<thead><tr><th scope=\"col\">class \\ answer</th>");
    for (int c = 0; c < matrix.classes(); c++) {
      html.append("<th scope=\"col\">").append(escape(names.get(c))).append("</th>");
    }
    html.append("<th scope=\"col\">right</th></tr></thead>\n<tbody>");
    for (int label = 0; label < matrix.classes(); label++) {
      html.append("<tr><th scope=\"row\">").append(escape(names.get(label))).append("</th>");
      int total = matrix.total(label);
      for (int answer = 0; answer < matrix.classes(); answer++) {
        html.append(cell(matrix.count(label, answer), total, label == answer));
      }
      html.append("<td class=\"share\">")
          .append(
              total == 0
                  ? "–"
                  : String.format(
                      Locale.ROOT, "%.1f %%", 100.0 * matrix.count(label, label) / total))
          .append("</td></tr>\n");
    }
    return html.append("</tbody></table></div>\n").toString();
  }

  private static String cell(int count, int total, boolean right) {
    if (count == 0) {
      return "<td class=\"none\">0</td>";
    }
    double share = (double) count / total;
    // Small shares of wrong answers are what one looks for, so colour grows with the square root.
    double strength = right ? share : Math.min(1, Math.sqrt(share) * 1.4);
    return String.format(
        Locale.ROOT,
        "<td class=\"%s%s\" style=\"--s:%.2f\">%d</td>",
        right ? "hit" : "miss",
        strength > 0.55 ? " strong" : "",
        strength,
        count);
  }

  private static String worst(ConfusionMatrix matrix, List<String> names, String caption) {
    Table table =
        new Table(caption + " (the most frequent wrong answers)", "sortable")
            .words("class")
            .words("answer")
            .numbers("pictures");
    for (ConfusionMatrix.Confusion c : matrix.worst(WORST)) {
      table.row(names.get(c.label())).cell(names.get(c.answer())).cell("" + c.count());
    }
    return table.html(false);
  }
}
