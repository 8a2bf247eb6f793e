package org.ivit.train.operator.integer;

import org.ivit.core.graph.build.NodeBuilder;
import org.ivit.core.scheme.NodeScales;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.QuantizedOperator;
import org.ivit.train.parameter.NodeRanges;
import org.ivit.train.parameter.ParameterView;
import org.ivit.train.parameter.PartSpec;

/** A part of a quantized network: builds its nodes with the builders that freezing uses. */
abstract class QuantizedPartOperator extends QuantizedOperator {
  final PartSpec spec;
  final Scheme scheme;

  /**
   * @param spec of the part
   * @param rows of a picture, which decide how many pictures make a chunk
   * @param scheme forms, widths, outlier channels
   */
  QuantizedPartOperator(PartSpec spec, int rows, Scheme scheme) {
    super(NodeRanges.of(spec), rows);
    this.spec = spec;
    this.scheme = scheme;
  }

  final NodeBuilder nodes(Reals weights) {
    return new NodeBuilder(ParameterView.of(layout(), spec.prefix(), weights), scheme);
  }

  final NodeScales scales(Reals weights) {
    return ranges().scales(scheme, weights);
  }

  final float inputScale(Reals weights) {
    return scales(weights).of(spec.input());
  }

  @Override
  public float outputScale(Reals weights) {
    return scales(weights).of(spec.part().output());
  }
}
