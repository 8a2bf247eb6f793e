package org.ivit.train.operator;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.ivit.core.InputException;
import org.ivit.core.graph.NodeNames;
import org.ivit.core.graph.Range;

/**
 * What quantization adds to an operator's parameters, saved and restored with them and never
 * learned: the frozen scales of its matrices, where there are any, and the ranges of its nodes,
 * {@code range.NODE}, two numbers a node.
 */
final class NodeRanges {
  private static final String KEY = "range.";

  private final ParameterLayout layout;
  private final Map<String, String> nodes = new LinkedHashMap<>();

  /**
   * @param layout parameters of the operator, to which scales and ranges are added
   */
  NodeRanges(ParameterLayout layout) {
    this.layout = layout.addWeightScales();
  }

  /**
   * Adds a range.
   *
   * @param node name within the operator
   * @param fullName full node name
   */
  NodeRanges add(String node, String fullName) {
    layout.add(KEY + node, ParameterKind.RANGE, 2);
    nodes.put(node, fullName);
    return this;
  }

  /** Full node name by parameter key. */
  SortedMap<String, String> keys() {
    SortedMap<String, String> keys = new TreeMap<>();
    nodes.forEach((node, fullName) -> keys.put(KEY + node, fullName));
    return keys;
  }

  /**
   * Reads one range.
   *
   * @throws InputException naming the node, if it was never set
   */
  Range range(Reals weights, String node) {
    int from = layout.from(KEY + node);
    float min = (float) weights.get(from);
    float max = (float) weights.get(from + 1);
    if (!(min <= max)) {
      throw new InputException(
          nodes.get(node) + ": found no range, expected one from calibration or a checkpoint");
    }
    return new Range(min, max);
  }

  /** Whether a node's range was ever set. */
  boolean isSet(Reals weights, String node) {
    int from = layout.from(KEY + node);
    return weights.get(from) <= weights.get(from + 1);
  }

  /** The scale that follows from a node's range. */
  float scale(Reals weights, String node) {
    return range(weights, node).scale(NodeNames.bits(nodes.get(node)));
  }
}
