package org.ivit.train.operator;

import org.ivit.core.architecture.Node;
import org.ivit.train.memory.Reals;

/**
 * Hears the values of each node of a float network as they are computed, and may change them before
 * they go on. It is called once or more a node, for consecutive parts; by several threads at once
 * where the batch is split.
 */
@FunctionalInterface
public interface NodeTap {
  /**
   * Takes a part of a node's values.
   *
   * @param node whose values they are
   * @param values holds the part
   * @param from its first element
   * @param length its elements: whole rows of channels, or whole rows of scores
   * @param channels of a row; 1 where channels mean nothing
   */
  void at(Node node, Reals values, int from, int length, int channels);
}
