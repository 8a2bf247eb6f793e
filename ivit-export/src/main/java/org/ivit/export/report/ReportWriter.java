package org.ivit.export.report;

import static org.ivit.train.report.Html.escape;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.ivit.export.evaluate.Comparison;
import org.ivit.export.evaluate.McNemar;
import org.ivit.export.evaluate.Proportion;
import org.ivit.train.report.LineChart;
import org.ivit.train.report.Numbers;
import org.ivit.train.report.Page;
import org.ivit.train.report.RunCharts;
import org.ivit.train.report.Table;

/** Writes a {@link Report} as one HTML file. */
public final class ReportWriter {
  private ReportWriter() {}

  /**
   * Writes a report; the file is complete or not there.
   *
   * @throws java.io.UncheckedIOException if it cannot be written
   */
  public static void write(Path file, Report report) {
    page(report).write(file);
  }

  /** The report as a page. */
  static Page page(Report report) {
    Page page = new Page(report.title(), report.summary());
    page.section("Accuracy", accuracies(report));
    if (!report.curves().isEmpty()) {
      page.section("Learning curves", curves(report.curves()));
    }
    if (!report.samples().isEmpty()) {
      page.section(report.samplesHeading(), samples(report.samples()));
    }
    if (!report.byClass().isEmpty()) {
      page.section("Classes", classes(report));
    }
    if (!report.confusions().isEmpty()) {
      page.section("Confusion", confusions(report));
    }
    if (!report.ranges().isEmpty()) {
      page.section("Ranges by layer", RangeTable.draw(report.ranges()));
    }
    if (!report.sizes().isEmpty()) {
      page.section("Sizes", sizes(report.sizes()));
    }
    return page.facts("Provenance", report.provenance());
  }

  private static String accuracies(Report report) {
    return accuracies(report.accuracies())
        + (report.comparison() == null ? "" : comparison(report.comparison()))
        + (report.checks().isEmpty() ? "" : checks(report.checks()));
  }

  /** A row a model. */
  static String accuracies(List<Report.Accuracy> accuracies) {
    int images = accuracies.get(0).evaluation().images();
    boolean sizes = accuracies.stream().anyMatch(row -> row.bytes() > 0);
    Table table =
        new Table("Right answers on " + images + " pictures, with 95 % Wilson intervals", "wrap")
            .words("model")
            .numbers("top-1")
            .numbers("top-1 interval")
            .numbers("top-5")
            .numbers("top-5 interval");
    if (sizes) {
      table.numbers("file");
    }
    for (Report.Accuracy row : accuracies) {
      table.row(row.model());
      proportion(table, row.evaluation().top1());
      proportion(table, row.evaluation().top5());
      if (sizes) {
        table.cell(Numbers.bytes(row.bytes()));
      }
    }
    return table.html(false);
  }

  private static void proportion(Table table, Proportion p) {
    table
        .cell(p.count() + " (" + Numbers.percent(p.fraction()) + ")")
        .cell(String.format(Locale.ROOT, "%.2f – %.2f %%", 100 * p.low(), 100 * p.high()));
  }

  private static String comparison(Comparison c) {
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("Agreement of the answers", text(c.agreement()));
    facts.put(
        "KL divergence",
        "mean %s, median %s, largest %s nats, from the other model's answers"
            .formatted(
                Numbers.value(c.meanKl()),
                Numbers.value(c.medianKl()),
                Numbers.value(c.largestKl())));
    facts.put("McNemar's test", text(c.mcnemar()));
    return Page.facts(facts);
  }

  static String text(Proportion p) {
    return String.format(
        Locale.ROOT,
        "%d of %d (%.2f %%; 95 %% interval %.2f – %.2f %%)",
        p.count(),
        p.total(),
        100 * p.fraction(),
        100 * p.low(),
        100 * p.high());
  }

  static String text(McNemar m) {
    return "only this model right: %s, only the other right: %s, p = %s%s"
        .formatted(
            m.onlyModel(),
            m.onlyReference(),
            Numbers.value(m.pValue()),
            m.exact() ? " (exact)" : " (chi-square)");
  }

  private static String checks(List<Report.Check> checks) {
    StringBuilder html = new StringBuilder("<ul class=\"checks\">");
    for (Report.Check check : checks) {
      html.append(
              check.passed()
                  ? "<li class=\"passed\"><b>passed</b> "
                  : "<li class=\"failed\"><b>failed</b> ")
          .append(escape(check.what()))
          .append(": ")
          .append(escape(check.result()))
          .append("</li>");
    }
    return html.append("</ul>\n").toString();
  }

  private static String curves(List<Report.Curves> runs) {
    StringBuilder html = new StringBuilder();
    for (Report.Curves run : runs) {
      html.append("<h3>").append(escape(run.name())).append("</h3>\n<div class=\"row\">\n");
      for (LineChart chart : RunCharts.of(run.metrics())) {
        html.append("<figure><figcaption>")
            .append(escape(chart.title()))
            .append("</figcaption>\n")
            .append(chart.draw(RunCharts.end(run.metrics()), ""))
            .append("</figure>\n");
      }
      html.append("</div>\n");
    }
    return html.toString();
  }

  private static String confusions(Report report) {
    StringBuilder html = new StringBuilder();
    report
        .confusions()
        .forEach(
            (model, matrix) -> html.append(ConfusionChart.draw(matrix, report.classes(), model)));
    return html.toString();
  }

  private static String classes(Report report) {
    Table table =
        new Table("Accuracy and mean cross-entropy by class, the worst first", "sortable")
            .words("class")
            .numbers("pictures");
    for (int m = 0; m < report.accuracies().size(); m++) {
      table.numbers(report.accuracies().get(m).model() + ": right").numbers("loss");
      if (m == 0) {
        table.descending();
      }
    }
    table.bars("loss of " + report.accuracies().get(0).model());
    double most =
        report.byClass().stream().mapToDouble(row -> row.scores().get(0).loss()).max().orElse(0);
    for (Report.ClassRow row : report.byClass()) {
      table.row(row.name()).cell(Integer.toString(row.pictures()));
      for (Report.ClassScore score : row.scores()) {
        double share = (double) score.right() / row.pictures();
        table
            .cell(share, String.format(Locale.ROOT, "%d (%.0f %%)", score.right(), 100 * share))
            .cell(score.loss(), String.format(Locale.ROOT, "%.3f", score.loss()));
      }
      table.bar(most > 0 ? row.scores().get(0).loss() / most : 0, "bad");
    }
    return table.html(true);
  }

  private static String samples(List<Report.Sample> samples) {
    PictureList list = new PictureList();
    for (Report.Sample s : samples) {
      StringBuilder answers = new StringBuilder();
      s.answers().forEach((model, answer) -> answer(answers, model, answer));
      list.add(s.picture(), s.label(), answers.toString(), s.note());
    }
    return list.html();
  }

  private static void answer(StringBuilder html, String model, Report.Answer answer) {
    html.append(answer.right() ? "<span class=\"right\">✓ " : "<span class=\"wrong\">✗ ")
        .append(escape(model + ": " + answer.name()))
        .append(String.format(Locale.ROOT, " %.0f&nbsp;%%</span>", 100 * answer.probability()));
  }

  private static String sizes(Map<String, Long> sizes) {
    Table table = new Table("What takes how many bytes", "").words("what").numbers("bytes");
    sizes.forEach((what, bytes) -> table.row(what).cell(Numbers.bytes(bytes)));
    return table.html(false);
  }
}
