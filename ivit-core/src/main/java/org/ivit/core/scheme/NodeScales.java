package org.ivit.core.scheme;

import java.util.Map;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Node;

/** The scale of each node that has a range. */
@FunctionalInterface
public interface NodeScales {
  /**
   * @param node a node with a range
   * @return value of one code step
   */
  float of(Node node);

  /**
   * @param scheme how scales follow from ranges
   * @param ranges by full node name
   * @return their scales; refuses a node without a range by name
   */
  static NodeScales of(Scheme scheme, Map<String, Range> ranges) {
    return node -> {
      Range range = ranges.get(node.name());
      if (range == null) {
        throw new InputException("ranges: found none for node " + node);
      }
      return scheme.scale(node, range);
    };
  }
}
