package org.ivit.train.host;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.scheme.Range;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.memory.RealType;
import org.ivit.train.memory.Reals;
import org.ivit.train.parameter.ParameterKind;
import org.ivit.train.parameter.ParameterLayout;

/**
 * All parameters of a quantized network and its ranges in one float32 vector, in the order of
 * Deeplearning4j's network and of {@link org.ivit.train.device.DeviceStep}.
 */
public final class FlatParameters {
  private final Architecture architecture;
  private final OperatorChain chain;
  private final Reals vector;

  /**
   * Zeros, and no ranges.
   *
   * @param architecture sizes
   * @param scheme how it is quantized
   */
  public FlatParameters(Architecture architecture, Scheme scheme) {
    this(architecture, new OperatorChain(architecture, scheme, 0));
  }

  FlatParameters(Architecture architecture, OperatorChain chain) {
    this.architecture = architecture;
    this.chain = chain;
    this.vector = Reals.allocate(RealType.FLOAT32, chain.size());
    forEachRange(
        (node, at) -> {
          vector.put(at, 1);
          vector.put(at + 1, -1);
        });
  }

  /** The memory itself. */
  public Reals vector() {
    return vector;
  }

  private interface EntryBody {
    void accept(String prefix, ParameterLayout layout, ParameterLayout.Entry entry, int at);
  }

  private void forEach(EntryBody body) {
    for (OperatorChain.Link link : chain.links()) {
      ParameterLayout layout = link.operator().layout();
      for (ParameterLayout.Entry entry : layout.entries()) {
        body.accept(link.prefix(), layout, entry, link.from() + entry.from());
      }
    }
  }

  private interface RangeBody {
    void accept(String node, int at);
  }

  private void forEachRange(RangeBody body) {
    for (OperatorChain.Link link : chain.links()) {
      ParameterLayout layout = link.operator().layout();
      link.operator()
          .rangeNodes()
          .forEach((key, node) -> body.accept(node, link.from() + layout.from(key)));
    }
  }

  /**
   * Sets the learned parameters, and the scales that are frozen with them.
   *
   * @param weights by timm name
   * @throws InputException naming a parameter that is missing or has another size
   */
  public void load(FloatWeights weights) {
    forEach(
        (prefix, layout, entry, at) -> {
          String name = prefix + entry.key();
          if (entry.kind().learned()) {
            put(name, weights.get(name), entry, at);
          }
          String scale = FloatWeights.scaleName(entry.key());
          if (layout.contains(scale)) {
            float[] frozen = weights.frozenScale(name);
            ParameterLayout.Entry place = layout.entry(scale);
            float[] values = frozen == null ? new float[place.size()] : frozen;
            put(FloatWeights.scaleName(name), values, place, at - entry.from() + place.from());
          }
        });
  }

  private void put(String name, float[] values, ParameterLayout.Entry entry, int at) {
    if (values.length != entry.size()) {
      throw new InputException(
          name + ": found " + values.length + " numbers, expected shape " + entry.shape());
    }
    vector.put(at, values, 0, values.length);
  }

  /** Copies of the learned parameters, by timm name, in the order of the architecture. */
  public FloatWeights weights() {
    Map<String, float[]> found = new LinkedHashMap<>();
    Map<String, float[]> scales = new LinkedHashMap<>();
    forEach(
        (prefix, layout, entry, at) -> {
          float[] values = new float[entry.size()];
          vector.get(at, values, 0, values.length);
          if (entry.kind().learned()) {
            found.put(prefix + entry.key(), values);
          } else if (entry.kind() == ParameterKind.WEIGHT_SCALE && values[0] != 0) {
            scales.put(weightOf(prefix, layout, entry), values);
          }
        });
    Map<String, float[]> ordered = new LinkedHashMap<>();
    architecture.parameters().keySet().forEach(name -> ordered.put(name, found.get(name)));
    return new FloatWeights(ordered, scales);
  }

  private static String weightOf(
      String prefix, ParameterLayout layout, ParameterLayout.Entry scale) {
    for (ParameterLayout.Entry entry : layout.entries()) {
      if (FloatWeights.scaleName(entry.key()).equals(scale.key())) {
        return prefix + entry.key();
      }
    }
    throw new IllegalStateException("scales of no weight: " + scale.key());
  }

  /**
   * Sets the ranges, wherever an operator keeps one.
   *
   * @param ranges by full node name
   * @throws InputException naming a node without a range
   */
  public void ranges(Map<String, Range> ranges) {
    forEachRange(
        (node, at) -> {
          Range range = ranges.get(node);
          if (range == null) {
            throw new InputException("ranges: found none for node " + node);
          }
          vector.put(at, range.min());
          vector.put(at + 1, range.max());
        });
  }

  /** The ranges by full node name. */
  public SortedMap<String, Range> ranges() {
    SortedMap<String, Range> ranges = new TreeMap<>();
    forEachRange(
        (node, at) ->
            ranges.put(node, new Range((float) vector.get(at), (float) vector.get(at + 1))));
    return ranges;
  }

  /** What moves: 0 does not, 1 moves, 2 decays too. */
  byte[] kinds() {
    byte[] kinds = new byte[chain.size()];
    forEach(
        (prefix, layout, entry, at) ->
            Arrays.fill(kinds, at, at + entry.size(), entry.kind().moves()));
    return kinds;
  }
}
