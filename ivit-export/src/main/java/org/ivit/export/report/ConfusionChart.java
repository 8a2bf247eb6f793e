package org.ivit.export.report;

import static org.ivit.export.report.Html.escape;

import java.util.List;
import java.util.Locale;
import org.ivit.export.evaluate.ConfusionMatrix;

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
    html.append("<div class=\"scroll\"><table class=\"confusion\"><caption>")
        .append(escape(caption))
        .append("</caption>\n<thead><tr><th scope=\"col\">class \\ answer</th>");
    for (int c = 0; c < matrix.classes(); c++) {
      html.append("<th scope=\"col\"><span>").append(escape(names.get(c))).append("</span></th>");
    }
    html.append("<th scope=\"col\"><span>right</span></th></tr></thead>\n<tbody>");
    for (int label = 0; label < matrix.classes(); label++) {
      html.append("<tr><th scope=\"row\">").append(escape(names.get(label))).append("</th>");
      int total = matrix.total(label);
      for (int answer = 0; answer < matrix.classes(); answer++) {
        int count = matrix.count(label, answer);
        html.append(cell(count, total, label == answer));
      }
      html.append("<td class=\"share\">")
          .append(
              total == 0
                  ? "–"
                  : String.format(
                      Locale.ROOT, "%.1f %%", 100.0 * matrix.count(label, label) / total))
          .append("</td></tr>\n");
    }
    return html.append("</tbody></table></div>").toString();
  }

  private static String cell(int count, int total, boolean right) {
    if (count == 0) {
      return "<td class=\"none\">0</td>";
    }
    double share = (double) count / total;
    // Small shares of wrong answers are what one looks for, so colour grows with the square root.
    double strength = right ? share : Math.min(1, Math.sqrt(share) * 1.4);
    int[] full = right ? new int[] {33, 102, 172} : new int[] {178, 60, 10};
    StringBuilder colour = new StringBuilder("#");
    for (int channel : full) {
      colour.append(
          String.format(Locale.ROOT, "%02x", Math.round(255 + strength * (channel - 255))));
    }
    return "<td style=\"background:"
        + colour
        + (strength > 0.55 ? ";color:#fff" : "")
        + "\">"
        + count
        + "</td>";
  }

  private static String worst(ConfusionMatrix matrix, List<String> names, String caption) {
    StringBuilder html = new StringBuilder();
    html.append("<table><caption>")
        .append(escape(caption))
        .append("</caption>\n<thead><tr><th scope=\"col\">class</th><th scope=\"col\">answer</th>")
        .append("<th scope=\"col\">pictures</th></tr></thead>\n<tbody>");
    for (ConfusionMatrix.Confusion c : matrix.worst(WORST)) {
      html.append("<tr><td>")
          .append(escape(names.get(c.label())))
          .append("</td><td>")
          .append(escape(names.get(c.answer())))
          .append("</td><td class=\"number\">")
          .append(c.count())
          .append("</td></tr>\n");
    }
    return html.append("</tbody></table>").toString();
  }
}
