package org.ivit.train.host;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.QuantizedOperator;
import org.ivit.train.operator.integer.QuantizedOperators;
import org.ivit.train.parameter.GridForm;
import org.ivit.train.parameter.PartSpec;

/**
 * The operators of a quantized network in the order of the layers of Deeplearning4j's network, and
 * with their parameters in its order.
 */
final class OperatorChain {
  /**
   * One operator.
   *
   * @param prefix of its parameters' timm names
   * @param operator forward and backward
   * @param from index of its first parameter in the network
   * @param outputs numbers that it makes of a picture
   */
  record Link(String prefix, QuantizedOperator operator, int from, int outputs) {
    /** Its part of a vector of a number a parameter. */
    Reals own(Reals all) {
      return all.part(from, operator.layout().size());
    }
  }

  private final int inputs;
  private final List<Link> links = new ArrayList<>();
  private int size;

  /**
   * @param architecture sizes
   * @param scheme how it is quantized
   * @param stochasticDepth rate of the last block; it grows linearly from 0 at the first
   * @param grids forms of the grids of weights of fewer bits, by name of the weight
   */
  OperatorChain(
      Architecture architecture,
      Scheme scheme,
      double stochasticDepth,
      Map<String, GridForm> grids) {
    this.inputs = architecture.pixels();
    for (PartSpec spec : PartSpec.of(architecture, stochasticDepth, grids)) {
      QuantizedOperator operator = QuantizedOperators.of(spec, scheme);
      links.add(new Link(spec.prefix(), operator, size, spec.outputs()));
      size = Math.addExact(size, operator.layout().size());
    }
  }

  /** The operators in order. */
  List<Link> links() {
    return links;
  }

  /** Numbers of a picture. */
  int inputs() {
    return inputs;
  }

  /** How many parameters there are, ranges included. */
  int size() {
    return size;
  }
}
