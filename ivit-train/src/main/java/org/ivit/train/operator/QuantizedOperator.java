package org.ivit.train.operator;

import java.util.SortedMap;
import org.ivit.core.graph.Range;
import org.ivit.train.memory.Reals;
import org.ivit.train.parameter.ParameterKind;

/**
 * An operator that computes in integers, §10: its input and output hold dequantized codes, from
 * which the codes are recovered exactly, and its node ranges are parameters of kind {@link
 * ParameterKind#RANGE}.
 */
public interface QuantizedOperator extends Operator {
  /**
   * What the last forward pass in training saw in mode {@link RangeMode#LAGGED}.
   *
   * @return smallest and largest value by full node name; empty in mode {@link RangeMode#FROZEN}
   */
  SortedMap<String, Range> seenRanges();

  /**
   * Which node's range each parameter of kind {@link ParameterKind#RANGE} holds.
   *
   * @return full node name by parameter key; an operator keeps a copy of the range of the node that
   *     feeds it, so that it can recover the input codes by itself
   */
  SortedMap<String, String> rangeNodes();

  /**
   * The scale of the output codes.
   *
   * @param weights all parameters, by {@link #layout()}
   */
  float outputScale(Reals weights);
}
