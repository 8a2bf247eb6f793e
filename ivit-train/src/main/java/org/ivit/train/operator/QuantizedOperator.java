package org.ivit.train.operator;

import java.util.SortedMap;
import org.ivit.core.scheme.Range;
import org.ivit.train.memory.Reals;
import org.ivit.train.parameter.NodeRanges;
import org.ivit.train.parameter.ParameterKind;

/**
 * An operator that computes in integers ({@code docs/arithmetic.md#observing-ranges}): its input
 * and output hold dequantized codes, from which the codes are recovered exactly, and its node
 * ranges are parameters of kind {@link ParameterKind#RANGE}.
 */
public abstract class QuantizedOperator extends ChunkedOperator {
  private final NodeRanges ranges;

  /**
   * @param ranges its parameters, ranges included
   * @param rows of a picture, which decide how many pictures make a chunk
   */
  protected QuantizedOperator(NodeRanges ranges, int rows) {
    super(ranges.layout(), rows);
    this.ranges = ranges;
  }

  /** The ranges of its nodes. */
  protected final NodeRanges ranges() {
    return ranges;
  }

  /**
   * What the last forward pass in training saw in mode {@link RangeMode#LAGGED}.
   *
   * @return smallest and largest value by full node name; empty in mode {@link RangeMode#FROZEN}
   */
  public final SortedMap<String, Range> seenRanges() {
    return seen();
  }

  /**
   * Which node's range each parameter of kind {@link ParameterKind#RANGE} holds.
   *
   * @return full node name by parameter key; an operator keeps a copy of the range of the node that
   *     feeds it, so that it can recover the input codes by itself
   */
  public final SortedMap<String, String> rangeNodes() {
    return ranges.keys();
  }

  /**
   * The scale of the output codes.
   *
   * @param weights all parameters, by {@link #layout()}
   */
  public abstract float outputScale(Reals weights);
}
