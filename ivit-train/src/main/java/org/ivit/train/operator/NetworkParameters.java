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
import org.ivit.train.parameter.GridForm;
import org.ivit.train.parameter.GridPoints;
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

  private interface WeightBody {
    void accept(Part part, String name, ParameterLayout.Entry entry);
  }

  private void forEach(WeightBody body) {
    for (Part part : parts) {
      for (ParameterLayout.Entry entry : part.operator.layout().entries()) {
        if (entry.kind().ofModel()) {
          body.accept(part, part.prefix + entry.key(), entry);
        }
      }
    }
  }

  /**
   * Sets the weights, and the scales that are frozen with them or the points of their grids.
   *
   * @param weights by timm name
   * @throws InputException naming a parameter that is missing or has another size
   */
  public void load(FloatWeights weights) {
    forEach(
        (part, name, entry) -> {
          part.put(entry.from(), name, weights.get(name), entry.size(), "shape " + entry.shape());
          ParameterLayout layout = part.operator.layout();
          String scaleKey = FloatWeights.scaleName(entry.key());
          String gridKey = FloatWeights.gridName(entry.key());
          if (layout.contains(gridKey)) {
            ParameterLayout.Entry grid = layout.entry(gridKey);
            float[] points = GridPoints.of(weights, name);
            part.put(grid.from(), FloatWeights.gridName(name), points, grid.size(), grid.size());
          } else if (layout.contains(scaleKey)) {
            if (weights.grid(name) != null) {
              throw new IllegalArgumentException(name + " has a grid, but the network 8 bits");
            }
            ParameterLayout.Entry scale = layout.entry(scaleKey);
            float[] frozen = weights.frozenScale(name);
            float[] values = frozen == null ? new float[scale.size()] : frozen;
            part.put(
                scale.from(), FloatWeights.scaleName(name), values, scale.size(), scale.size());
          }
        });
  }

  /**
   * Copies of the weights, by timm name, in the order of the architecture, of frozen scales, and of
   * the points of grids behind the weights.
   */
  public FloatWeights weights() {
    Map<String, float[]> found = new LinkedHashMap<>();
    Map<String, float[]> points = new LinkedHashMap<>();
    Map<String, float[]> scales = new LinkedHashMap<>();
    Map<String, GridForm> forms = new LinkedHashMap<>();
    forEach(
        (part, name, entry) -> {
          found.put(name, part.get(entry));
          ParameterLayout layout = part.operator.layout();
          String scaleKey = FloatWeights.scaleName(entry.key());
          GridForm form = layout.grids().get(entry.key());
          if (form != null) {
            String grid = FloatWeights.gridName(entry.key());
            points.put(FloatWeights.gridName(name), part.get(layout.entry(grid)));
            forms.put(name, form);
          } else if (layout.contains(scaleKey) && part.memory.get(layout.from(scaleKey)) != 0) {
            scales.put(name, part.get(layout.entry(scaleKey)));
          }
        });
    Map<String, float[]> ordered = new LinkedHashMap<>();
    architecture.parameters().keySet().forEach(name -> ordered.put(name, found.get(name)));
    ordered.putAll(points);
    return GridPoints.rounded(new FloatWeights(ordered, scales), forms, architecture);
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
