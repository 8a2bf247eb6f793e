package org.ivit.export.diagnose;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import org.ivit.core.architecture.Answer;
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
        "%s, %d pictures. Mean %s from the float model: integers %s, its weights in floating point %s."
            .formatted(
                title,
                diagnosis.pictures(),
                diagnosis.integers().measure(),
                number(diagnosis.integers().mean()),
                number(diagnosis.weights().mean()));
    return new Page("Where the accuracy goes", summary)
        .section("Nodes", nodes(diagnosis))
        .facts("Provenance", provenance);
  }

  private static String nodes(Diagnosis diagnosis) {
    double most = diagnosis.nodes().stream().mapToDouble(NodeDiagnosis::cost).max().orElse(0);
    Table table =
        new Table(
                "Cost: mean "
                    + diagnosis.integers().measure()
                    + (diagnosis.integers().answer() == Answer.CLASSES ? ", in nats," : "")
                    + " when this node alone is quantized. SNR, signal to noise: of the node in the"
                    + " integer model, with all errors before it. Set apart: outlier channels of the"
                    + " model, on scales 2^k larger; by the rule: those that the published rule would"
                    + " take on these pictures.",
                "nodes sortable")
            .words("node")
            .numbers("cost")
            .descending()
            .bars("cost")
            .numbers("SNR, dB")
            .bars("SNR")
            .numbers("bits")
            .numbers("scale")
            .numbers("order")
            .numbers("set apart")
            .numbers("by the rule");
    for (NodeDiagnosis node : diagnosis.byCost()) {
      table
          .row(node.node())
          .cell(node.cost(), number(node.cost()))
          .bar(most == 0 ? 0 : node.cost() / most, "bad")
          .cell(
              node.decibels(),
              Double.isFinite(node.decibels())
                  ? String.format(Locale.ROOT, "%.1f", node.decibels())
                  : "exact")
          .bar(node.decibels() / MOST_DECIBELS, "")
          .cell(Integer.toString(node.bits()))
          .cell(node.scale(), number(node.scale()))
          .cell(Integer.toString(diagnosis.nodes().indexOf(node) + 1));
      channels(table, node.outliers());
      channels(table, node.candidates());
    }
    return table.html(true);
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, "%.4g", value);
  }

  /** How many, and by resting on the cell which. */
  private static void channels(Table table, OutlierChannels outliers) {
    if (outliers.isEmpty()) {
      table.cell("");
      return;
    }
    int count = outliers.channels().length;
    table.cell(
        count,
        count + " (k = " + outliers.shift() + ")",
        "channels " + Arrays.toString(outliers.channels()).replaceAll("[\\[\\]]", ""));
  }
}
