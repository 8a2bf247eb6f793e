package org.ivit.train.observer;

import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.ivit.core.architecture.Node;
import org.ivit.core.calibration.NodeObserver;
import org.ivit.core.calibration.NodeValues;
import org.ivit.core.calibration.PublishedObserver;
import org.ivit.core.scheme.Range;
import org.ivit.train.recipe.ObserverRules;

/**
 * An observer for every node of a network, as a recipe's rules choose. Different nodes may be
 * observed at once.
 */
public final class ObserverSet implements NodeObserver {
  private final ObserverRules rules;
  private final Map<String, Node> nodes;
  private final Map<String, RangeObserver> observers = new ConcurrentHashMap<>();

  /**
   * @param rules which observer a node gets
   * @param nodes of the network by full name
   */
  public ObserverSet(ObserverRules rules, Map<String, Node> nodes) {
    this.rules = rules;
    this.nodes = Map.copyOf(nodes);
  }

  private RangeObserver observer(Node node) {
    return observers.computeIfAbsent(node.name(), n -> RangeObserver.of(rules.choose(node)));
  }

  /**
   * @throws org.ivit.core.InputException naming the node, if it has a value that is not finite
   */
  @Override
  public Range observe(NodeValues values) {
    float[] included = values.included();
    PublishedObserver.rangeOf(values.node().name(), included);
    return observer(values.node()).observe(included, values.node().bits());
  }

  /**
   * The ranges after a training step.
   *
   * @param current ranges that the step used
   * @param batch smallest and largest value of the step, by node
   * @return ranges of the next step; nodes that are not in {@code batch} keep theirs
   */
  public SortedMap<String, Range> move(Map<String, Range> current, Map<String, Range> batch) {
    SortedMap<String, Range> moved = new TreeMap<>(current);
    batch.forEach(
        (node, range) ->
            moved.computeIfPresent(node, (n, r) -> observer(nodes.get(n)).move(r, range)));
    return moved;
  }
}
