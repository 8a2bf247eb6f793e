package org.ivit.train.layer;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.ivit.core.InputException;
import org.ivit.core.scheme.Range;
import org.ivit.train.memory.Reals;
import org.ivit.train.nd4j.NdMemory;
import org.ivit.train.operator.QuantizedOperator;
import org.ivit.train.operator.RangeMode;

/**
 * The ranges of the quantized layers of any Deeplearning4j network, by node name, such as {@code
 * fc1.input} and {@code fc1.linear} of a linear layer called {@code fc1}.
 */
public final class LayerRanges {
  private final List<OperatorLayerRuntime> layers = new ArrayList<>();

  /**
   * @param network initialised; its other layers are left alone
   */
  public LayerRanges(ComputationGraph network) {
    this(network.getLayers());
  }

  /**
   * @param network initialised; its other layers are left alone
   */
  public LayerRanges(MultiLayerNetwork network) {
    this(network.getLayers());
  }

  private LayerRanges(Layer[] all) {
    for (Layer layer : all) {
      if (layer instanceof OperatorLayerRuntime runtime
          && runtime.operator() instanceof QuantizedOperator) {
        layers.add(runtime);
      }
    }
  }

  private interface Body {
    void accept(String node, int at, Reals memory, OperatorLayerRuntime layer);
  }

  private void forEach(Function<OperatorLayerRuntime, Reals> access, Body body) {
    for (OperatorLayerRuntime layer : layers) {
      QuantizedOperator operator = (QuantizedOperator) layer.operator();
      Reals memory = access.apply(layer);
      operator
          .rangeNodes()
          .forEach((key, node) -> body.accept(node, operator.layout().from(key), memory, layer));
    }
  }

  private void forEachToChange(Body body) {
    try (NdMemory.Writes writes = NdMemory.writes()) {
      forEach(layer -> layer.parameters(writes), body);
    }
  }

  /** Sets what training passes do with the ranges. */
  public void mode(RangeMode mode) {
    layers.forEach(layer -> layer.rangeMode(mode));
  }

  /** The ranges that were set. */
  public SortedMap<String, Range> get() {
    SortedMap<String, Range> ranges = new TreeMap<>();
    forEach(
        OperatorLayerRuntime::parameters,
        (node, at, memory, layer) -> {
          Range range = read(memory, at);
          if (range != null) {
            ranges.put(node, range);
          }
        });
    return ranges;
  }

  /**
   * Sets every range.
   *
   * @throws InputException naming a node without a range; nothing is set then
   */
  public void set(Map<String, Range> ranges) {
    forEach(
        OperatorLayerRuntime::parameters,
        (node, at, memory, layer) -> {
          if (ranges.get(node) == null) {
            throw new InputException("ranges: found none for node " + node);
          }
        });
    forEachToChange((node, at, memory, layer) -> write(memory, at, ranges.get(node)));
  }

  /**
   * Ends a step in mode {@link RangeMode#LAGGED}: moves each range towards what the last pass in
   * training saw, by the published observer, which takes the first batch whole.
   */
  public void move() {
    forEachToChange(
        (node, at, memory, layer) -> {
          Range seen = ((QuantizedOperator) layer.operator()).seenRanges().get(node);
          if (seen != null) {
            Range range = read(memory, at);
            write(memory, at, range == null ? seen : range.movedTowards(seen));
          }
        });
  }

  private static Range read(Reals memory, int at) {
    float min = (float) memory.get(at);
    float max = (float) memory.get(at + 1);
    return min <= max ? new Range(min, max) : null;
  }

  private static void write(Reals memory, int at, Range range) {
    memory.put(at, range.min());
    memory.put(at + 1, range.max());
  }
}
