package org.ivit.export.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.ivit.core.architecture.Node;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.image.Preprocess;
import org.ivit.core.scheme.Range;
import org.ivit.export.model.FloatSource;
import org.ivit.train.ptq.PostTrainingCalibration;
import org.ivit.train.recipe.Calibration;
import org.ivit.train.recipe.Quantization;
import org.ivit.train.recipe.WeightRounding;

/** Prints what {@code ivit quantize} starts from and what it chose. */
final class QuantizationTable {
  /** What tells one block's or merging's nodes from another's. */
  private static final String NUMBER = "(layers|blocks)\\.\\d+\\.";

  private final PrintWriter out;

  QuantizationTable(PrintWriter out) {
    this.out = out;
  }

  /** Nodes of one kind, over all blocks. */
  private static final class Kind {
    private int nodes;
    private int searched;
    private int outliers;
    private double smallest = Double.POSITIVE_INFINITY;
    private double largest;
    private String observer;

    void add(Range range, boolean byError, int channels, String observedBy) {
      double limit = Math.max(-range.min(), range.max());
      nodes++;
      searched += byError ? 1 : 0;
      outliers += channels;
      smallest = Math.min(smallest, limit);
      largest = Math.max(largest, limit);
      observer = observer == null || observer.equals(observedBy) ? observedBy : "several observers";
    }

    String ranges() {
      return searched == nodes
          ? "output error"
          : searched == 0 ? observer : "output error, " + observer;
    }
  }

  /**
   * What it starts from.
   *
   * @param config the recipe, or null for the defaults
   * @param data where the pictures lie; null for drawn ones
   * @param size of the set
   */
  void inputs(
      FloatSource source,
      Path config,
      Calibration calibration,
      String data,
      int size,
      Preprocess preprocess) {
    row("weights", source.identity().path() + ", " + source.architecture().name());
    row("recipe", config == null ? "the defaults, which need no training" : config.toString());
    row(
        "pictures",
        "%d of %d of %s, %s, in batches of %d"
            .formatted(
                Math.min(calibration.pictures(), size),
                size,
                data == null ? "drawn ones" : data,
                switch (calibration.select()) {
                  case FIRST -> "the first";
                  case SPREAD -> "spread evenly";
                  case RANDOM -> "at random";
                },
                calibration.batchSize()));
    row("preprocess", preprocess.toString());
    out.flush();
  }

  /**
   * What was chosen: forms, rounding, and a line for each kind of node.
   *
   * @param nodes of the network by full name
   * @param before the float weights, some of whose scales may have been frozen
   */
  void choices(
      Quantization quantization,
      Map<String, Node> nodes,
      FloatWeights before,
      PostTrainingCalibration.Result found) {
    row("GELU", lower(quantization.gelu()));
    row(
        "softmax",
        lower(quantization.softmax()) + ", attention in " + quantization.attentionBits() + " bits");
    row("norms", quantization.normEpsilon() ? "with epsilon" : "without epsilon");
    row(
        "equalized",
        quantization.equalize() && before.scales().isEmpty() ? "attention" : "nothing");
    row("rounding", rounding(quantization, before, found.weights()));
    row("bits", bits(found.weights()));
    row("outliers", found.scheme().outlierCounts());
    if (found.bits() != null) {
      row("chosen", found.bits().summary());
      out.println();
      found.bits().table().forEach(out::println);
    }
    out.println();
    out.printf(
        "%-24s %5s %10s  %-19s %s%n", "node", "nodes", "outliers", "range up to", "chosen by");
    kinds(quantization, nodes, found)
        .forEach(
            (name, kind) ->
                out.printf(
                    "%-24s %5d %10s  %-19s %s%n",
                    name,
                    kind.nodes,
                    kind.outliers == 0 ? "" : Integer.toString(kind.outliers),
                    limits(kind),
                    kind.ranges()));
    out.println();
    out.flush();
  }

  private static String rounding(
      Quantization quantization, FloatWeights before, FloatWeights after) {
    if (!before.scales().isEmpty()) {
      return "as the weights bring it";
    }
    return quantization.weightRounding() == WeightRounding.SECOND_ORDER
        ? "second-order error in " + after.scales().size() + " layers, to nearest in others"
        : "to nearest";
  }

  /** How many layers have fewer bits, of each kind. */
  private static String bits(FloatWeights weights) {
    Map<String, Integer> layers = new TreeMap<>();
    weights.grids().values().forEach(grid -> layers.merge(grid.describe(), 1, Integer::sum));
    if (layers.isEmpty()) {
      return "8 bits";
    }
    StringBuilder line = new StringBuilder();
    layers.forEach((grid, count) -> line.append("%s in %d layers, ".formatted(grid, count)));
    return line + "8 bits in others";
  }

  private static Map<String, Kind> kinds(
      Quantization quantization, Map<String, Node> nodes, PostTrainingCalibration.Result found) {
    Map<String, Kind> kinds = new LinkedHashMap<>();
    found
        .ranges()
        .forEach(
            (node, range) ->
                kinds
                    .computeIfAbsent(node.replaceAll(NUMBER, ""), name -> new Kind())
                    .add(
                        range,
                        found.searched().contains(node),
                        found
                            .scheme()
                            .outliers()
                            .getOrDefault(node, OutlierChannels.NONE)
                            .channels()
                            .length,
                        quantization.observers().choose(nodes.get(node)).name()));
    return kinds;
  }

  private static String limits(Kind kind) {
    String low = String.format(Locale.ROOT, "%.4g", kind.smallest);
    String high = String.format(Locale.ROOT, "%.4g", kind.largest);
    return low.equals(high) ? low : low + " to " + high;
  }

  private static String lower(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT);
  }

  private void row(String name, String value) {
    out.printf("%-11s %s%n", name, value);
  }
}
