package org.ivit.train.host;

import java.util.Arrays;
import java.util.Map;
import java.util.SortedMap;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.scheme.Range;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.memory.RealType;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.NetworkParameters;
import org.ivit.train.parameter.GridForm;
import org.ivit.train.parameter.ParameterLayout;

/**
 * All parameters of a quantized network and its ranges in one float32 vector, in the order of
 * Deeplearning4j's network and of {@link org.ivit.train.device.DeviceStep}.
 */
public final class FlatParameters {
  private final OperatorChain chain;
  private final Reals vector;
  private final NetworkParameters parameters;

  /** Of a network whose weights have 8 bits: zeros, and no ranges. */
  public FlatParameters(Architecture architecture, Scheme scheme) {
    this(architecture, scheme, Map.of());
  }

  /**
   * Zeros, and no ranges.
   *
   * @param architecture sizes
   * @param scheme how it is quantized
   * @param grids forms of the grids of weights of fewer bits, by name of the weight
   */
  public FlatParameters(Architecture architecture, Scheme scheme, Map<String, GridForm> grids) {
    this(architecture, new OperatorChain(architecture, scheme, 0, grids));
  }

  FlatParameters(Architecture architecture, OperatorChain chain) {
    this.chain = chain;
    this.vector = Reals.allocate(RealType.FLOAT32, chain.size());
    this.parameters =
        new NetworkParameters(
            architecture,
            chain.links().stream()
                .map(
                    link ->
                        new NetworkParameters.Part(
                            link.prefix(), link.operator(), link.own(vector)))
                .toList());
    parameters.unsetRanges();
  }

  /** The memory itself. */
  public Reals vector() {
    return vector;
  }

  /** As {@link NetworkParameters#load}. */
  public void load(FloatWeights weights) {
    parameters.load(weights);
  }

  /** As {@link NetworkParameters#weights}. */
  public FloatWeights weights() {
    return parameters.weights();
  }

  /** As {@link NetworkParameters#ranges(Map)}. */
  public void ranges(Map<String, Range> ranges) {
    parameters.ranges(ranges);
  }

  /** The ranges by full node name. */
  public SortedMap<String, Range> ranges() {
    return parameters.ranges();
  }

  /** What moves: 0 does not, 1 moves, 2 decays too. */
  byte[] kinds() {
    byte[] kinds = new byte[chain.size()];
    for (OperatorChain.Link link : chain.links()) {
      for (ParameterLayout.Entry entry : link.operator().layout().entries()) {
        int at = link.from() + entry.from();
        Arrays.fill(kinds, at, at + entry.size(), entry.kind().moves());
      }
    }
    return kinds;
  }
}
