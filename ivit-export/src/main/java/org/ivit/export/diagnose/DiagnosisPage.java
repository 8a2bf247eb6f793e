package org.ivit.export.diagnose;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Locale;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.io.AtomicFiles;

/** A diagnosis as a self-contained HTML page: cost and noise of each node, in execution order. */
public final class DiagnosisPage {
  private static final int BAR = 260;
  private static final double MOST_DECIBELS = 100;

  private static final String STYLE =
      """
      body{font:14px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:76rem;padding:0 1rem;
       color:#1a1a1a;background:#fff}
      table{border-collapse:collapse}th,td{padding:.1rem .6rem;text-align:left;white-space:nowrap}
      thead th{border-bottom:1px solid #888;position:sticky;top:0;background:#fff}
      th[scope=row]{font-weight:400;font-family:ui-monospace,monospace}
      .n{text-align:right;font-variant-numeric:tabular-nums}
      svg{vertical-align:middle}.cost{fill:#b5442c}.snr{fill:#33658a}
      @media(prefers-color-scheme:dark){body,thead th{background:#161616;color:#e8e8e8}
       .cost{fill:#e0775f}.snr{fill:#7fb2d9}}
      """;

  private DiagnosisPage() {}

  /**
   * Writes the page.
   *
   * @param file to create or replace
   * @param title what is compared with what
   * @param diagnosis of it
   * @throws java.io.UncheckedIOException naming the file, if it cannot be written
   */
  public static void write(Path file, String title, Diagnosis diagnosis) {
    byte[] page = page(title, diagnosis).getBytes(StandardCharsets.UTF_8);
    AtomicFiles.write(file, out -> out.write(page));
  }

  static String page(String title, Diagnosis diagnosis) {
    double most = diagnosis.nodes().stream().mapToDouble(NodeDiagnosis::cost).max().orElse(0);
    StringBuilder html = new StringBuilder();
    html.append("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">")
        .append("<meta name=\"viewport\" content=\"width=device-width\"><title>")
        .append(escape(title))
        .append("</title><style>\n")
        .append(STYLE)
        .append("</style></head><body>\n<h1>Where the accuracy goes</h1>\n<p>")
        .append(escape(title))
        .append(", ")
        .append(diagnosis.pictures())
        .append(" pictures. Mean KL divergence from the float model: integers ")
        .append(number(diagnosis.integers().meanKl()))
        .append(", its weights in floating point ")
        .append(number(diagnosis.weights().meanKl()))
        .append(
            ".</p>\n<p>Cost: mean KL divergence, in nats, when this node alone is quantized. Signal to"
                + " noise: of the node in the integer model, with all errors before it.</p>\n")
        .append(
            "<table><thead><tr><th scope=\"col\">node</th><th class=\"n\" scope=\"col\">bits</th>")
        .append("<th class=\"n\" scope=\"col\">scale</th><th class=\"n\" scope=\"col\">cost</th>")
        .append(
            "<th scope=\"col\"></th><th class=\"n\" scope=\"col\">dB</th><th scope=\"col\"></th>")
        .append(
            "<th scope=\"col\">set apart</th><th scope=\"col\">by the rule</th></tr></thead>\n<tbody>");
    for (NodeDiagnosis node : diagnosis.nodes()) {
      html.append("<tr><th scope=\"row\">").append(escape(node.node())).append("</th>");
      cell(html, Integer.toString(node.bits()));
      cell(html, number(node.scale()));
      cell(html, number(node.cost()));
      bar(html, "cost", most == 0 ? 0 : node.cost() / most);
      cell(
          html,
          Double.isFinite(node.decibels())
              ? String.format(Locale.ROOT, "%.1f", node.decibels())
              : "exact");
      bar(html, "snr", Math.max(0, Math.min(1, node.decibels() / MOST_DECIBELS)));
      html.append("<td>").append(channels(node.outliers())).append("</td><td>");
      html.append(channels(node.candidates())).append("</td></tr>\n");
    }
    return html.append("</tbody></table>\n</body></html>\n").toString();
  }

  private static void cell(StringBuilder html, String text) {
    html.append("<td class=\"n\">").append(text).append("</td>");
  }

  private static void bar(StringBuilder html, String kind, double share) {
    html.append(
        String.format(
            Locale.ROOT,
            "<td><svg width=\"%d\" height=\"10\" aria-hidden=\"true\"><rect class=\"%s\""
                + " width=\"%.1f\" height=\"10\"/></svg></td>",
            BAR,
            kind,
            BAR * share));
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, "%.4g", value);
  }

  private static String channels(OutlierChannels outliers) {
    if (outliers.isEmpty()) {
      return "";
    }
    StringBuilder text = new StringBuilder();
    int shown = Math.min(8, outliers.channels().length);
    for (int i = 0; i < shown; i++) {
      text.append(i == 0 ? "" : ", ").append(outliers.channels()[i]);
    }
    if (shown < outliers.channels().length) {
      text.append(" and ").append(outliers.channels().length - shown).append(" more");
    }
    return text.append(" (k = ").append(outliers.shift()).append(")").toString();
  }

  private static String escape(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }
}
