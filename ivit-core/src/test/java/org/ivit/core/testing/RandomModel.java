package org.ivit.core.testing;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.LinearSpec;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.graph.build.GraphBuilder;
import org.ivit.core.scheme.Range;
import org.ivit.core.scheme.Scheme;
import org.ivit.core.weight.WeightGrid;

/** Graphs of seeded random weights and ranges, for tests that need no golden files. */
public final class RandomModel {
  private RandomModel() {}

  /**
   * A frozen graph.
   *
   * @param architecture any size
   * @param scheme any
   * @param seed same seed, same graph
   */
  public static IntegerGraph graph(Architecture architecture, Scheme scheme, long seed) {
    return graph(architecture, scheme, seed, layer -> null);
  }

  /**
   * A frozen graph with weights of fewer bits.
   *
   * @param architecture any size
   * @param scheme any
   * @param seed same seed, same weights and ranges
   * @param grids of a layer's codes, or null where they have 8 bits
   */
  public static IntegerGraph graph(
      Architecture architecture, Scheme scheme, long seed, Function<LinearSpec, WeightGrid> grids) {
    Random random = new Random(seed);
    Map<String, float[]> weights = new LinkedHashMap<>();
    architecture
        .parameters()
        .forEach(
            (name, shape) -> {
              float[] values = new float[(int) Arrays.stream(shape).reduce(1, (a, b) -> a * b)];
              float centre = name.contains("norm") && name.endsWith(".weight") ? 1 : 0;
              for (int i = 0; i < values.length; i++) {
                values[i] = centre + 0.2f * (random.nextFloat() - 0.5f);
              }
              weights.put(name, values);
            });
    Map<String, Range> ranges = new LinkedHashMap<>();
    for (String node : architecture.nodes().keySet()) {
      ranges.put(node, new Range(-1 - random.nextFloat(), 1 + random.nextFloat()));
    }
    FloatWeights plain = new FloatWeights(weights, Map.of());
    return GraphBuilder.build(
        architecture, GridWeights.of(architecture, plain, grids), scheme, ranges);
  }
}
