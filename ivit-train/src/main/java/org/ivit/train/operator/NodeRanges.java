package org.ivit.train.operator;

import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.ivit.core.InputException;
import org.ivit.core.graph.NodeNames;
import org.ivit.core.graph.Range;

/**
 * The ranges of an operator's nodes, kept as parameters: {@code range.NODE}, two numbers a node,
 * which are saved and restored with the others and never learned.
 */
final class NodeRanges {
  private static final String KEY = "range.";

  private final String prefix;
  private final List<String> nodes;
  private final ParameterLayout layout;

  /**
   * Adds the ranges to the layout.
   *
   * @param layout parameters of the operator
   * @param prefix of full node names, such as {@code blocks.0.}
   * @param nodes node names within the operator
   */
  NodeRanges(ParameterLayout layout, String prefix, List<String> nodes) {
    this.prefix = prefix;
    this.nodes = nodes;
    this.layout = layout;
    nodes.forEach(node -> layout.add(KEY + node, ParameterKind.RANGE, 2));
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
          prefix + node + ": found no range, expected one from calibration or a checkpoint");
    }
    return new Range(min, max);
  }

  /** The scale that follows from a node's range. */
  float scale(Reals weights, String node) {
    return range(weights, node).scale(NodeNames.bits(prefix + node));
  }

  /** All ranges by full node name. */
  SortedMap<String, Range> all(Reals weights) {
    SortedMap<String, Range> ranges = new TreeMap<>();
    nodes.forEach(node -> ranges.put(prefix + node, range(weights, node)));
    return ranges;
  }
}
