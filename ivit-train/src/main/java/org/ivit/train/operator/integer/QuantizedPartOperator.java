package org.ivit.train.operator.integer;

import java.util.List;
import org.ivit.core.graph.Linear;
import org.ivit.core.graph.build.NodeBuilder;
import org.ivit.core.scheme.NodeScales;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.Execution;
import org.ivit.train.operator.QuantizedOperator;
import org.ivit.train.parameter.GridGradient;
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

  /** The linear layers of the part. */
  List<QuantLinear> linears() {
    return List.of();
  }

  final NodeBuilder nodes(Reals weights) {
    return new NodeBuilder(ParameterView.of(layout(), spec.prefix(), weights), scheme);
  }

  final NodeScales scales(Reals weights) {
    return ranges().scales(scheme, weights);
  }

  /** Prepares linear layers, on all threads: their nodes, in the same order. */
  static List<Linear> prepared(
      List<QuantLinear> linears, NodeBuilder nodes, NodeScales scales, Execution run) {
    Linear[] built = new Linear[linears.size()];
    run.pool().run(built.length, i -> built[i] = linears.get(i).prepare(nodes, scales, run.type()));
    return List.of(built);
  }

  final float inputScale(Reals weights) {
    return scales(weights).of(spec.input());
  }

  @Override
  protected final void finish(Reals weights, Reals gradients, Execution run) {
    for (QuantLinear linear : linears()) {
      if (layout().grids().containsKey(linear.weightKey())) {
        new GridGradient(layout(), linear.weightKey(), weights, linear.weightCodes())
            .apply(gradients, run.pool());
      }
    }
  }

  @Override
  public float outputScale(Reals weights) {
    return scales(weights).of(spec.part().output());
  }
}
