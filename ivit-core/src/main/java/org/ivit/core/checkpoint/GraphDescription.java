package org.ivit.core.checkpoint;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.ivit.core.InputException;
import org.ivit.core.MessageText;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Stem;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.SoftmaxForm;
import org.ivit.core.family.Architectures;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.graph.Linear;
import org.ivit.core.scheme.Scheme;

/**
 * The JSON under {@code graph}: what a graph has beside its tensors.
 *
 * @param architecture its description
 * @param gelu form of GELU
 * @param softmax form of softmax
 * @param attentionBits width of the probabilities
 * @param outliers outlier channels by node
 * @param normEpsilon whether norms add an epsilon; in JSON only where they do
 * @param scales value of one code step by node
 * @param weights layers whose weights have fewer than 8 bits, by node; in JSON only where there are
 *     any
 */
record GraphDescription(
    ObjectNode architecture,
    String gelu,
    String softmax,
    int attentionBits,
    SortedMap<String, Outliers> outliers,
    @JsonInclude(JsonInclude.Include.NON_DEFAULT) boolean normEpsilon,
    SortedMap<String, Scale> scales,
    @JsonInclude(JsonInclude.Include.NON_EMPTY) SortedMap<String, WeightForm> weights) {

  /** In JSON, {@link #normEpsilon}. */
  static final String NORM_EPSILON = "norm_epsilon";

  /** In JSON, {@link #weights}. */
  static final String WEIGHTS = "weights";

  /** The members of {@link OutlierChannels}. */
  record Outliers(int[] channels, int shift) {}

  /** A scale twice: exact for programs, decimal for readers. */
  record Scale(String hex, float value) {
    static Scale of(float scale) {
      return new Scale(Float.toHexString(scale), scale);
    }

    float exact(String node) {
      float scale;
      try {
        scale = Float.parseFloat(hex);
      } catch (NumberFormatException e) {
        throw new InputException("graph: scale of " + node + " is no hexadecimal number", e);
      }
      if (!(scale > 0) || Float.isInfinite(scale) || scale != value) {
        throw new InputException(
            "graph: scale of %s is %s and %s, expected the same positive number twice"
                .formatted(node, Float.toHexString(scale), value));
      }
      return scale;
    }
  }

  static GraphDescription of(IntegerGraph graph) {
    Scheme scheme = graph.scheme();
    SortedMap<String, Outliers> outliers = new TreeMap<>();
    scheme
        .outliers()
        .forEach((node, set) -> outliers.put(node, new Outliers(set.channels(), set.shift())));
    SortedMap<String, Scale> scales = new TreeMap<>();
    graph.scales().forEach((node, scale) -> scales.put(node, Scale.of(scale)));
    SortedMap<String, WeightForm> weights = new TreeMap<>();
    for (Linear linear : graph.linears()) {
      if (linear.codes().grid() != null) {
        weights.put(linear.name(), WeightForm.of(linear.codes().grid()));
      }
    }
    return new GraphDescription(
        Architectures.toJson(graph.architecture()),
        scheme.gelu().key(),
        scheme.softmax().key(),
        scheme.attentionBits(),
        outliers,
        scheme.normEpsilon(),
        scales,
        weights);
  }

  Architecture parsedArchitecture() {
    return Architectures.parse(architecture);
  }

  /** Checks that outlier channels belong to nodes of the architecture. */
  Scheme scheme(Architecture parsed) {
    SortedMap<String, OutlierChannels> sets = new TreeMap<>();
    outliers.forEach(
        (node, set) -> sets.put(node, new OutlierChannels(set.channels(), set.shift())));
    Scheme scheme =
        new Scheme(
            GeluForm.parse(gelu), SoftmaxForm.parse(softmax), attentionBits, sets, normEpsilon);
    scheme.check(parsed);
    return scheme;
  }

  /** The layers with fewer than 8 bits, each of which the architecture has. */
  SortedMap<String, WeightForm> weights(Architecture parsed) {
    Set<String> layers =
        parsed.linears().stream().map(layer -> layer.node().name()).collect(Collectors.toSet());
    weights.forEach(
        (node, form) -> {
          if (!layers.contains(node)) {
            throw new InputException(
                "graph: weights of %s, expected a linear layer of the architecture"
                    .formatted(MessageText.quote(node)));
          }
          form.check(node);
        });
    return weights;
  }

  /** The scales of exactly the nodes that the architecture has. */
  Map<String, Float> scales(Architecture parsed) {
    Map<String, Float> exact = new TreeMap<>();
    parsed.nodes().keySet().forEach(node -> take(node, exact));
    if (!parsed.stem().normed()) {
      take(Stem.POSITION, exact);
    }
    for (Block block : parsed.blocks()) {
      if (block.windows() != null) {
        take(block.positionTable(), exact);
      }
    }
    parsed.head().classifiers().forEach(classifier -> take(classifier, exact));
    if (exact.size() != scales.size()) {
      throw new InputException(
          "graph: %d scales, expected the %d of the architecture's nodes"
              .formatted(scales.size(), exact.size()));
    }
    return exact;
  }

  private void take(String node, Map<String, Float> exact) {
    Scale scale = scales.get(node);
    if (scale == null) {
      throw new InputException("graph: no scale of node " + node);
    }
    exact.put(node, scale.exact(node));
  }
}
