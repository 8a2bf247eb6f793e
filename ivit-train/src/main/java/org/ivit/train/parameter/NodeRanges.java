package org.ivit.train.parameter;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.ivit.core.InputException;
import org.ivit.core.graph.NodeNames;
import org.ivit.core.graph.Range;
import org.ivit.train.memory.Reals;

/**
 * What quantization adds to an operator's parameters, saved and restored with them and never
 * learned: the frozen scales of its matrices, where there are any, and the ranges of its nodes,
 * {@code range.NODE}, two numbers a node.
 */
public final class NodeRanges {
  private static final String KEY = "range.";

  private final ParameterLayout layout;
  private final Map<String, String> nodes = new LinkedHashMap<>();

  /**
   * @param layout parameters of the operator, to which scales and ranges are added
   */
  public NodeRanges(ParameterLayout layout) {
    this.layout = layout.addWeightScales();
  }

  /**
   * Adds a range.
   *
   * @param node name within the operator
   * @param fullName full node name
   */
  public NodeRanges add(String node, String fullName) {
    layout.add(KEY + node, ParameterKind.RANGE, 2);
    nodes.put(node, fullName);
    return this;
  }

  /** Full node name by parameter key. */
  public SortedMap<String, String> keys() {
    SortedMap<String, String> keys = new TreeMap<>();
    nodes.forEach((node, fullName) -> keys.put(KEY + node, fullName));
    return keys;
  }

  /**
   * Reads one range.
   *
   * @throws InputException naming the node, if it was never set
   */
  public Range range(Reals weights, String node) {
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
  public boolean isSet(Reals weights, String node) {
    int from = layout.from(KEY + node);
    return weights.get(from) <= weights.get(from + 1);
  }

  /** The scale that follows from a node's range. */
  public float scale(Reals weights, String node) {
    return range(weights, node).scale(NodeNames.bits(nodes.get(node)));
  }
}
