package org.ivit.export.diagnose;

import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.train.report.Page;
import org.ivit.train.report.Table;

/** A diagnosis as an HTML report: cost and noise of each node, the most expensive first. */
public final class DiagnosisPage {
  /** A bar of full width. */
  private static final double MOST_DECIBELS = 100;

  private DiagnosisPage() {}

  /**
   * Writes the page.
   *
   * @param file to create or replace
   * @param title what is compared with what
   * @param diagnosis of it
   * @param provenance where everything comes from, by what it is
   * @throws java.io.UncheckedIOException naming the file, if it cannot be written
   */
  public static void write(
      Path file, String title, Diagnosis diagnosis, Map<String, String> provenance) {
    page(title, diagnosis, provenance).write(file);
  }

  static Page page(String title, Diagnosis diagnosis, Map<String, String> provenance) {
    String summary =
        "%s, %d pictures. Mean KL divergence from the float model: integers %s, its weights in floating point %s."
            .formatted(
                title,
                diagnosis.pictures(),
                number(diagnosis.integers().meanKl()),
                number(diagnosis.weights().meanKl()));
    return new Page("Where the accuracy goes", summary)
        .section("Nodes", nodes(diagnosis))
        .facts("Provenance", provenance);
  }

  private static String nodes(Diagnosis diagnosis) {
    double most = diagnosis.nodes().stream().mapToDouble(NodeDiagnosis::cost).max().orElse(0);
    Table table =
        new Table(
                "Cost: mean KL divergence, in nats, when this node alone is quantized. Signal to"
                    + " noise: of the node in the integer model, with all errors before it.",
                "nodes sortable")
            .words("node")
            .numbers("order")
            .numbers("bits")
            .numbers("scale")
            .numbers("cost")
            .bars("cost")
            .numbers("signal to noise, dB")
            .bars("signal to noise")
            .words("set apart")
            .words("by the rule");
    for (NodeDiagnosis node : diagnosis.byCost()) {
      table
          .row(node.node())
          .cell(Integer.toString(diagnosis.nodes().indexOf(node) + 1))
          .cell(Integer.toString(node.bits()))
          .cell(node.scale(), number(node.scale()))
          .cell(node.cost(), number(node.cost()))
          .bar(most == 0 ? 0 : node.cost() / most, "bad")
          .cell(
              node.decibels(),
              Double.isFinite(node.decibels())
                  ? String.format(Locale.ROOT, "%.1f", node.decibels())
                  : "exact")
          .bar(node.decibels() / MOST_DECIBELS, "")
          .cell(channels(node.outliers()))
          .cell(channels(node.candidates()));
    }
    return table.html(true);
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
}
