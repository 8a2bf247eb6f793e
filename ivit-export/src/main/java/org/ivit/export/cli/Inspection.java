package org.ivit.export.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.ivit.core.MessageText;
import org.ivit.core.architecture.Answer;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Node;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.checkpoint.CheckpointFile;
import org.ivit.core.checkpoint.IntegerCheckpoint;
import org.ivit.core.checkpoint.Provenance;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.graph.Linear;
import org.ivit.core.io.Digests;
import org.ivit.core.scheme.Scheme;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.tensor.TensorContents;
import org.ivit.core.tensor.TensorFile;
import org.ivit.core.weight.WeightCodes;

/** Prints what a file holds. */
final class Inspection {
  private static final int METADATA_WIDTH = 100;

  private final PrintWriter out;
  private final boolean lists;

  /**
   * @param lists whether to print the outlier channels themselves, not their number alone
   */
  Inspection(PrintWriter out, boolean lists) {
    this.out = out;
    this.lists = lists;
  }

  /** An integer checkpoint: what it computes, where it comes from, and a table by layer. */
  void checkpoint(Path file, TensorFile tensors, IntegerCheckpoint checkpoint) {
    IntegerGraph graph = checkpoint.graph();
    Architecture architecture = graph.architecture();
    Scheme scheme = graph.scheme();
    row("file", file + ", " + megabytes(size(file)));
    row("kind", "integer checkpoint, version " + tensors.metadata().get("version"));
    row("architecture", architecture.name());
    row("sizes", ArchitectureSummary.of(architecture));
    row("answer", architecture.answer().toString());
    row("GELU", scheme.gelu().name().toLowerCase(Locale.ROOT));
    row("softmax", scheme.softmax().name().toLowerCase(Locale.ROOT));
    row("attention", scheme.attentionBits() + " bits");
    row("norms", scheme.normEpsilon() ? "with epsilon" : "without epsilon");
    row("preprocess", checkpoint.preprocess().toString());
    boolean classes = architecture.answer() == Answer.CLASSES;
    row(classes ? "logit scale" : "feature scale", Float.toString(graph.logitScale()));
    if (classes) {
      row("classes", classes(checkpoint));
    }
    Provenance p = checkpoint.provenance();
    row("source", p.source().isEmpty() ? "not known" : p.source());
    if (!p.sourceSha256().isEmpty()) {
      row("source sha256", p.sourceSha256());
    }
    row("frozen", p.date() + (p.version().isEmpty() ? "" : " by ivit " + p.version()));
    if (!p.accuracy().isEmpty()) {
      row("accuracy", p.accuracy());
    }
    row("file sha256", Digests.file(file));
    row("digest", CheckpointFile.digest(tensors.metadata()));
    outliers(scheme);
    sizes(file, tensors);
    weights(graph);
    layers(graph, tensors);
    if (!p.recipe().isEmpty()) {
      out.println();
      out.println("recipe");
      p.recipe().lines().forEach(line -> out.println("  " + line));
    }
  }

  private static String classes(IntegerCheckpoint checkpoint) {
    int count = checkpoint.classes().size();
    return count
        + ": "
        + String.join("; ", checkpoint.classes().subList(0, Math.min(4, count))).replace('\t', ' ')
        + (count > 4 ? "; ..." : "");
  }

  private void outliers(Scheme scheme) {
    row("outliers", scheme.outlierCounts());
    if (lists) {
      scheme
          .outliers()
          .forEach(
              (node, set) ->
                  row(
                      "outliers",
                      "%s: channels %s, k = %s"
                          .formatted(node, Arrays.toString(set.channels()), set.shift())));
    }
  }

  /** Bytes by what they are for; together they are the file. */
  private void sizes(Path file, TensorFile tensors) {
    Map<String, Long> kinds = new LinkedHashMap<>();
    tensors
        .tensors()
        .forEach(
            (name, tensor) ->
                kinds.merge(name.substring(name.lastIndexOf('.') + 1), bytes(tensor), Long::sum));
    out.println();
    out.printf("%-20s %12s%n", "tensors", "bytes");
    kinds.forEach((kind, bytes) -> out.printf("  %-18s %12d%n", kind, bytes));
    long rest = size(file) - kinds.values().stream().mapToLong(Long::longValue).sum();
    out.printf("  %-18s %12d%n", "(header)", rest);
  }

  /** Weights by width and coding: layers, bytes, and those that an entropy coder would leave. */
  private void weights(IntegerGraph graph) {
    Map<String, List<WeightEntropy>> kinds = new TreeMap<>();
    for (Linear linear : graph.linears()) {
      kinds
          .computeIfAbsent(linear.codes().describe(), kind -> new ArrayList<>())
          .add(WeightEntropy.of(linear.codes()));
    }
    out.println();
    out.printf("%-20s %12s %12s %12s%n", "weights", "layers", "bytes", "entropy");
    kinds.forEach(
        (kind, layers) ->
            out.printf(
                "  %-18s %12d %12d %12d%n",
                kind,
                layers.size(),
                layers.stream().mapToLong(WeightEntropy::stored).sum(),
                (long) Math.ceil(layers.stream().mapToDouble(WeightEntropy::bytes).sum())));
  }

  private void layers(IntegerGraph graph, TensorFile tensors) {
    out.println();
    out.printf(
        "%-24s %5s %14s %10s %12s  %-15s %7s%n",
        "node", "bits", "scale", "outliers", "bytes", "weights", "entropy");
    Map<String, Float> scales = graph.scales();
    Map<String, WeightCodes> weights = new HashMap<>();
    graph.linears().forEach(linear -> weights.put(linear.name(), linear.codes()));
    List<Node> nodes = new ArrayList<>(graph.architecture().nodes().values());
    graph.architecture().head().linears().forEach(layer -> nodes.add(layer.node()));
    for (Node node : nodes) {
      OutlierChannels outliers = graph.scheme().outliers(node);
      layer(
          node.name(),
          Integer.toString(node.bits()),
          scales.get(node.name()),
          outliers.isEmpty() ? "" : Integer.toString(outliers.channels().length),
          bytes(tensors, node.name()),
          weights.get(node.name()));
    }
  }

  private void layer(
      String node, String bits, Float scale, String outliers, long bytes, WeightCodes weights) {
    String line =
        String.format(
            Locale.ROOT,
            "%-24s %5s %14.8g %10s %12s",
            node,
            bits,
            scale,
            outliers,
            bytes == 0 ? "" : Long.toString(bytes));
    out.println(
        weights == null
            ? line
            : String.format(
                Locale.ROOT,
                "%s  %-15s %7.3f",
                line,
                weights.describe(),
                WeightEntropy.of(weights).bits()));
  }

  /** Bytes of the tensors that belong to a node. */
  private static long bytes(TensorFile tensors, String node) {
    return tensors.tensors().entrySet().stream()
        .filter(e -> e.getKey().startsWith(node + "."))
        .mapToLong(e -> bytes(e.getValue()))
        .sum();
  }

  /** A file of tensors that is no integer checkpoint. */
  void tensors(Path file, TensorContents contents) {
    TensorFile tensors = contents.all();
    row("file", file + ", " + megabytes(size(file)));
    row("kind", contents.format() + ", " + tensors.tensors().size() + " tensors");
    tensors
        .metadata()
        .forEach(
            (key, value) ->
                row(
                    key,
                    value.length() > METADATA_WIDTH
                        ? value.substring(0, METADATA_WIDTH) + "..."
                        : value));
    long parameters = 0;
    out.println();
    out.printf("%-40s %5s %-20s %12s%n", "tensor", "type", "shape", "bytes");
    for (Map.Entry<String, Tensor> entry : tensors.tensors().entrySet()) {
      Tensor t = entry.getValue();
      parameters += t.size();
      out.printf(
          "%-40s %5s %-20s %12d%n",
          entry.getKey(), t.dtype(), Arrays.toString(t.shape()), bytes(t));
    }
    out.printf("%-40s %5s %-20d%n", "elements", "", parameters);
    others(contents);
  }

  /** What is not read: objects of classes that are not known, tensors of other types. */
  private void others(TensorContents contents) {
    if (contents.others().isEmpty()) {
      return;
    }
    out.println();
    out.printf("%-40s %s%n", "not read", "class or type");
    contents
        .others()
        .forEach(
            (path, type) ->
                out.printf("%-40s %s%n", MessageText.quote(path), MessageText.quote(type)));
  }

  private void row(String name, String value) {
    out.printf("%-13s %s%n", name, value.replaceAll("\\R", " "));
  }

  private static long bytes(Tensor tensor) {
    return (long) tensor.size() * tensor.dtype().size();
  }

  private static long size(Path file) {
    try {
      return Files.size(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String megabytes(long bytes) {
    return String.format(Locale.ROOT, "%d bytes (%.2f MB)", bytes, bytes / 1e6);
  }
}
