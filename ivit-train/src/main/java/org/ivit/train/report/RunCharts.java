package org.ivit.train.report;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** What the {@code metrics.csv} of a run shows: a chart each for losses and accuracy. */
public final class RunCharts {
  /** More points of a curve are averaged: steps are noisy, and the file stays small. */
  private static final int MOST_POINTS = 200;

  private static final String X = "epoch";

  private RunCharts() {}

  /** The charts of a run that have points, in the order in which they are read. */
  public static List<LineChart> of(Metrics metrics) {
    // The training loss is the recipe's, with what it smooths, mixes and distils; that of the
    // validation is plain cross-entropy. They are not to be compared.
    return all(metrics).filter(chart -> !chart.isEmpty()).toList();
  }

  /** The same with charts that have no point yet. */
  static Stream<LineChart> all(Metrics metrics) {
    return Stream.of(
        chart(metrics, "loss", "training loss, as the recipe has it", false),
        chart(
            metrics,
            "validation_loss",
            "validation loss, " + (features(metrics) ? "1 − cosine" : "cross-entropy"),
            false),
        chart(metrics, "validation_top1", "validation top-1", true));
  }

  /** Whether validations know of no right answers. */
  private static boolean features(Metrics metrics) {
    return any(metrics.column("validation_loss")) && !any(metrics.column("validation_top1"));
  }

  private static boolean any(double[] values) {
    return values != null && Arrays.stream(values).anyMatch(Double::isFinite);
  }

  /** Where their common axis ends: the last epoch. */
  public static double end(Metrics metrics) {
    double[] epochs = metrics.column(X);
    return epochs == null ? 0 : Arrays.stream(epochs).filter(Double::isFinite).max().orElse(0);
  }

  private static LineChart chart(Metrics metrics, String column, String title, boolean percent) {
    double[] x = metrics.column(X);
    double[] y = metrics.column(column);
    return new LineChart(
            title,
            X,
            x == null || y == null ? new double[0] : x,
            x == null || y == null ? new double[0] : y,
            percent)
        .thinned(MOST_POINTS);
  }
}
