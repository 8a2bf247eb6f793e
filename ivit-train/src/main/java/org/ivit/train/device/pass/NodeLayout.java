package org.ivit.train.device.pass;

import java.util.HashMap;
import java.util.Map;
import org.ivit.core.InputException;
import org.ivit.core.graph.Range;
import org.ivit.core.graph.Scheme;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.QuantizedOperator;
import org.ivit.train.parameter.ParameterLayout;

/**
 * Where the parameters and ranges of a part lie among those of the network.
 *
 * @param prefix of its parameters' timm names
 * @param layout of the part
 * @param from index of the part's first parameter
 * @param ranges index of each node's range within the part, by full node name
 */
public record NodeLayout(
    String prefix, ParameterLayout layout, int from, Map<String, Integer> ranges) {
  public static NodeLayout of(String prefix, QuantizedOperator operator, int from) {
    Map<String, Integer> ranges = new HashMap<>();
    operator.rangeNodes().forEach((key, node) -> ranges.put(node, operator.layout().from(key)));
    return new NodeLayout(prefix, operator.layout(), from, ranges);
  }

  /** The part's own parameters among those of the network. */
  public int at(String key) {
    return from + layout.from(key);
  }

  /**
   * The scale that follows from a node's range.
   *
   * @param scheme of the network
   * @param weights of the part
   * @throws InputException naming the node, if its range was never set
   */
  public float scale(Scheme scheme, Reals weights, String node) {
    int at = ranges.get(node);
    float min = (float) weights.get(at);
    float max = (float) weights.get(at + 1);
    if (!(min <= max)) {
      throw new InputException(
          node + ": found no range, expected one from calibration or a checkpoint");
    }
    return scheme.scale(node, new Range(min, max));
  }
}
