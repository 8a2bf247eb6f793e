package org.ivit.train.operator;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.scheme.Range;
import org.ivit.train.memory.Reals;
import org.ivit.train.parameter.ParameterLayout;

/**
 * The parameters of a network's operators by timm name, and their ranges by node name, wherever
 * they lie.
 *
 * @param architecture whose order the weights have
 * @param parts one an operator
 */
public record NetworkParameters(Architecture architecture, List<Part> parts) {
  /**
   * Those of one operator.
   *
   * @param prefix of the timm names
   * @param operator whose layout they have
   * @param memory where they lie
   */
  public record Part(String prefix, Operator operator, Reals memory) {
    private void put(int from, String name, float[] values, int size, Object expected) {
      if (values.length != size) {
        throw new InputException(
            name + ": found " + values.length + " numbers, expected " + expected);
      }
      memory.put(from, values, 0, size);
    }

    private float[] get(ParameterLayout.Entry entry) {
      float[] values = new float[entry.size()];
      memory.get(entry.from(), values, 0, values.length);
      return values;
    }
  }

  private interface LearnedBody {
    /** The scale is that which may be frozen with it; null where there is none. */
    void accept(Part part, String name, ParameterLayout.Entry entry, ParameterLayout.Entry scale);
  }

  private void forEach(LearnedBody body) {
    for (Part part : parts) {
      ParameterLayout layout = part.operator.layout();
      for (ParameterLayout.Entry entry : layout.entries()) {
        if (entry.kind().learned()) {
          String scale = FloatWeights.scaleName(entry.key());
          body.accept(
              part,
              part.prefix + entry.key(),
              entry,
              layout.contains(scale) ? layout.entry(scale) : null);
        }
      }
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
        (part, name, entry, scale) -> {
          part.put(entry.from(), name, weights.get(name), entry.size(), "shape " + entry.shape());
          if (scale != null) {
            float[] frozen = weights.frozenScale(name);
            float[] values = frozen == null ? new float[scale.size()] : frozen;
            String scaleName = FloatWeights.scaleName(name);
            part.put(scale.from(), scaleName, values, scale.size(), scale.size());
          }
        });
  }

  /**
   * Copies of the learned parameters, by timm name, in the order of the architecture, and of frozen
   * scales.
   */
  public FloatWeights weights() {
    Map<String, float[]> found = new LinkedHashMap<>();
    Map<String, float[]> scales = new LinkedHashMap<>();
    forEach(
        (part, name, entry, scale) -> {
          found.put(name, part.get(entry));
          if (scale != null && part.memory.get(scale.from()) != 0) {
            scales.put(name, part.get(scale));
          }
        });
    Map<String, float[]> ordered = new LinkedHashMap<>();
    architecture.parameters().keySet().forEach(name -> ordered.put(name, found.get(name)));
    return new FloatWeights(ordered, scales);
  }

  private interface RangeBody {
    void accept(String node, Reals memory, int at);
  }

  private void forEachRange(RangeBody body) {
    for (Part part : parts) {
      if (part.operator instanceof QuantizedOperator operator) {
        ParameterLayout layout = operator.layout();
        operator
            .rangeNodes()
            .forEach((key, node) -> body.accept(node, part.memory, layout.from(key)));
      }
    }
  }

  /** Leaves no range set. */
  public void unsetRanges() {
    forEachRange(
        (node, memory, at) -> {
          memory.put(at, 1);
          memory.put(at + 1, -1);
        });
  }

  /**
   * Sets the ranges, wherever an operator keeps one.
   *
   * @param ranges by full node name
   * @throws InputException naming a node without a range
   */
  public void ranges(Map<String, Range> ranges) {
    forEachRange(
        (node, memory, at) -> {
          Range range = ranges.get(node);
          if (range == null) {
            throw new InputException("ranges: found none for node " + node);
          }
          memory.put(at, range.min());
          memory.put(at + 1, range.max());
        });
  }

  /** The ranges by full node name; empty in floating point. */
  public SortedMap<String, Range> ranges() {
    SortedMap<String, Range> ranges = new TreeMap<>();
    forEachRange(
        (node, memory, at) ->
            ranges.put(node, new Range((float) memory.get(at), (float) memory.get(at + 1))));
    return ranges;
  }
}
