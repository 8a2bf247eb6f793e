package org.ivit.train.parameter;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.ivit.core.InputException;
import org.ivit.core.scheme.NodeScales;
import org.ivit.core.scheme.Range;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.memory.Reals;

/**
 * What quantization adds to an operator's parameters, saved and restored with them: the frozen
 * scales of its matrices, where there are any, or the points of their grids, and the ranges of its
 * nodes, {@code range.NODE}, two numbers a node.
 */
public final class NodeRanges {
  private static final String KEY = "range.";

  private final ParameterLayout layout;
  private final Map<String, String> keys = new LinkedHashMap<>();

  /**
   * @param layout parameters of the operator, to which scales and ranges are added
   */
  public NodeRanges(ParameterLayout layout) {
    this(layout, Map.of());
  }

  private NodeRanges(ParameterLayout layout, Map<String, GridForm> grids) {
    this.layout = layout.addWeightScales(grids);
  }

  /**
   * The parameters of a part with its scales and ranges: a copy of the range of the node that feeds
   * it, so that it can recover the input codes by itself, and those of its own nodes.
   *
   * @param spec of the part
   */
  public static NodeRanges of(PartSpec spec) {
    NodeRanges ranges = new NodeRanges(spec.parameters(), spec.grids());
    if (spec.input() != null) {
      ranges.add("input", spec.input().name());
    }
    spec.part().nodes().forEach(node -> ranges.add(spec.local(node.name()), node.name()));
    return ranges;
  }

  /** All parameters, ranges included. */
  public ParameterLayout layout() {
    return layout;
  }

  /**
   * Adds a range.
   *
   * @param key name within the operator
   * @param node full name of the node whose range it is
   */
  public NodeRanges add(String key, String node) {
    layout.add(KEY + key, ParameterKind.RANGE, 2);
    keys.put(node, KEY + key);
    return this;
  }

  /** Full node name by parameter key. */
  public SortedMap<String, String> keys() {
    SortedMap<String, String> names = new TreeMap<>();
    keys.forEach((node, key) -> names.put(key, node));
    return names;
  }

  /**
   * Reads one range.
   *
   * @param node full node name
   * @throws InputException naming the node, if it was never set
   */
  public Range range(Reals weights, String node) {
    int from = layout.from(keys.get(node));
    float min = (float) weights.get(from);
    float max = (float) weights.get(from + 1);
    if (!(min <= max)) {
      throw new InputException(
          node + ": found no range, expected one from calibration or a checkpoint");
    }
    return new Range(min, max);
  }

  /** Whether a node's range was ever set. */
  public boolean isSet(Reals weights, String node) {
    int from = layout.from(keys.get(node));
    return weights.get(from) <= weights.get(from + 1);
  }

  /**
   * The scales that follow from the ranges.
   *
   * @param scheme of the network
   * @param weights of the part, by {@link #layout}
   */
  public NodeScales scales(Scheme scheme, Reals weights) {
    return node -> scheme.scale(node, range(weights, node.name()));
  }
}
