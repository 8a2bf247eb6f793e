package org.ivit.train.operator;

import java.util.SortedMap;
import org.ivit.core.graph.Range;

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
   * Tells the scale of the input codes, before each pass. The embedding quantizes pixels by its own
   * range and takes none.
   *
   * @param scale scale of the node that feeds this operator
   */
  default void inputScale(float scale) {
    throw new UnsupportedOperationException("input is not quantized elsewhere");
  }

  /**
   * The scale of the output codes.
   *
   * @param weights all parameters, by {@link #layout()}
   */
  float outputScale(Reals weights);
}
