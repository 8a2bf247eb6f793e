package org.ivit.export.report;

import static org.ivit.export.report.Html.escape;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.ivit.core.io.AtomicFiles;
import org.ivit.export.evaluate.Comparison;
import org.ivit.export.evaluate.McNemar;
import org.ivit.export.evaluate.Proportion;

/** Writes a {@link Report} as one HTML file. */
public final class ReportWriter {
  /** More points of a curve are averaged: steps are noisy. */
  private static final int MOST_POINTS = 150;

  private final StringBuilder html = new StringBuilder();

  private ReportWriter() {}

  /**
   * Writes a report; the file is complete or not there.
   *
   * @throws UncheckedIOException if it cannot be written
   */
  public static void write(Path file, Report report) {
    String page = page(report);
    AtomicFiles.write(file, out -> out.write(page.getBytes(StandardCharsets.UTF_8)));
  }

  /** The report as HTML. */
  static String page(Report report) {
    ReportWriter writer = new ReportWriter();
    writer.add(report);
    return writer.html.toString();
  }

  private void add(Report report) {
    html.append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
        .append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>")
        .append(escape(report.title()))
        .append("</title>\n<style>\n")
        .append(style())
        .append("</style>\n</head>\n<body>\n<main>\n<h1>")
        .append(escape(report.title()))
        .append("</h1>\n<p class=\"summary\">")
        .append(escape(report.summary()))
        .append("</p>\n");
    accuracies(report);
    curves(report.curves());
    confusions(report);
    samples(report.samples());
    if (!report.ranges().isEmpty()) {
      heading("Ranges by layer");
      html.append(RangeTable.draw(report.ranges()));
    }
    sizes(report.sizes());
    provenance(report.provenance());
    html.append("</main>\n</body>\n</html>\n");
  }

  private void heading(String text) {
    html.append("<h2>").append(escape(text)).append("</h2>\n");
  }

  private void accuracies(Report report) {
    heading("Accuracy");
    int images = report.accuracies().get(0).evaluation().images();
    html.append("<table><caption>Right answers on ")
        .append(images)
        .append(" pictures that no training has seen, with 95 % Wilson intervals</caption>\n")
        .append(
            "<thead><tr><th scope=\"col\">model</th><th class=\"number\" scope=\"col\">top-1</th>")
        .append(
            "<th class=\"number\" scope=\"col\">top-1 interval</th><th class=\"number\" scope=\"col\">top-5</th>")
        .append(
            "<th class=\"number\" scope=\"col\">top-5 interval</th><th class=\"number\" scope=\"col\">file</th></tr></thead>\n<tbody>");
    for (Report.Accuracy row : report.accuracies()) {
      html.append("<tr><th scope=\"row\">").append(escape(row.model())).append("</th>");
      proportion(row.evaluation().top1());
      proportion(row.evaluation().top5());
      number(Numbers.bytes(row.bytes()));
      html.append("</tr>\n");
    }
    html.append("</tbody></table>\n");
    Comparison c = report.comparison();
    if (c != null) {
      McNemar m = c.mcnemar();
      html.append("<dl class=\"facts\">");
      fact(
          "Agreement of the answers",
          c.agreement().count()
              + " of "
              + images
              + " ("
              + Numbers.percent(c.agreement().fraction())
              + ")");
      fact(
          "KL divergence from the float model",
          "mean "
              + Numbers.value(c.meanKl())
              + ", median "
              + Numbers.value(c.medianKl())
              + " nats");
      fact(
          "McNemar's test",
          "only the integer model right: "
              + m.onlyModel()
              + ", only the float model right: "
              + m.onlyReference()
              + ", p = "
              + Numbers.value(m.pValue())
              + (m.exact() ? " (exact)" : " (chi-square)"));
      html.append("</dl>\n");
    }
    if (!report.checks().isEmpty()) {
      html.append("<ul class=\"checks\">");
      for (Report.Check check : report.checks()) {
        html.append(
                check.passed()
                    ? "<li class=\"passed\"><b>passed</b> "
                    : "<li class=\"failed\"><b>failed</b> ")
            .append(escape(check.what()))
            .append(": ")
            .append(escape(check.result()))
            .append("</li>");
      }
      html.append("</ul>\n");
    }
  }

  private void proportion(Proportion p) {
    number(p.count() + " (" + Numbers.percent(p.fraction()) + ")");
    number(String.format(Locale.ROOT, "%.2f – %.2f %%", 100 * p.low(), 100 * p.high()));
  }

  private void number(String text) {
    html.append("<td class=\"number\">").append(escape(text)).append("</td>");
  }

  private void fact(String name, String value) {
    html.append("<div><dt>")
        .append(escape(name))
        .append("</dt><dd>")
        .append(escape(value))
        .append("</dd></div>");
  }

  private void curves(List<Report.Curves> runs) {
    if (runs.isEmpty()) {
      return;
    }
    heading("Learning curves");
    html.append("<div class=\"row\">\n");
    for (Report.Curves run : runs) {
      curve(run, "loss", false);
      curve(run, "top1", true);
    }
    html.append("</div>\n");
  }

  /** One chart of all columns whose name holds a word. */
  private void curve(Report.Curves run, String word, boolean percent) {
    Map<String, double[]> columns = run.metrics().columns();
    String axis = columns.containsKey("epoch") ? "epoch" : columns.keySet().iterator().next();
    List<LineChart.Line> lines = new ArrayList<>();
    columns.forEach(
        (name, values) -> {
          if (name.toLowerCase(Locale.ROOT).contains(word)) {
            lines.add(
                new LineChart.Line(name.replace('_', ' '), columns.get(axis), values)
                    .thinned(MOST_POINTS));
          }
        });
    if (lines.isEmpty()) {
      return;
    }
    String title = run.name() + ": " + (percent ? "top-1 accuracy" : word);
    html.append("<figure><figcaption>")
        .append(escape(title))
        .append("</figcaption>\n")
        .append(LineChart.draw(title, axis, lines, percent))
        .append("</figure>\n");
  }

  private void confusions(Report report) {
    if (report.confusions().isEmpty()) {
      return;
    }
    heading("Confusion");
    report
        .confusions()
        .forEach(
            (model, matrix) ->
                html.append(
                        ConfusionChart.draw(
                            matrix,
                            report.classes(),
                            model + " (rows: the class, columns: the answer)"))
                    .append('\n'));
  }

  private void samples(List<Report.Sample> samples) {
    if (samples.isEmpty()) {
      return;
    }
    heading("Sample pictures");
    html.append("<ul class=\"samples\">\n");
    for (Report.Sample s : samples) {
      html.append("<li><img alt=\"")
          .append(escape(s.label()))
          .append("\" src=\"")
          .append(PngUri.of(s.picture()))
          .append("\"><strong>")
          .append(escape(s.label()))
          .append("</strong>");
      answer("float", s.floatAnswer(), s.label());
      answer("integer", s.integerAnswer(), s.label());
      html.append("</li>\n");
    }
    html.append("</ul>\n");
  }

  private void answer(String model, Report.Answer answer, String label) {
    boolean right = answer.name().equals(label);
    html.append(right ? "<span class=\"right\">✓ " : "<span class=\"wrong\">✗ ")
        .append(model)
        .append(": ")
        .append(escape(answer.name()))
        .append(String.format(Locale.ROOT, " %.0f %%</span>", 100 * answer.probability()));
  }

  private void sizes(Map<String, Long> sizes) {
    if (sizes.isEmpty()) {
      return;
    }
    heading("Sizes");
    html.append("<table><caption>What takes how many bytes</caption><tbody>");
    sizes.forEach(
        (what, bytes) -> {
          html.append("<tr><th scope=\"row\">").append(escape(what)).append("</th>");
          number(Numbers.bytes(bytes));
          html.append("</tr>\n");
        });
    html.append("</tbody></table>\n");
  }

  private void provenance(Map<String, String> provenance) {
    if (provenance.isEmpty()) {
      return;
    }
    heading("Provenance");
    html.append("<dl class=\"facts\">");
    provenance.forEach(this::fact);
    html.append("</dl>\n");
  }

  private static String style() {
    try (InputStream in = ReportWriter.class.getResourceAsStream("report.css")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
