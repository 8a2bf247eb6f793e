package org.ivit.core.testing;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.graph.build.GraphBuilder;
import org.ivit.core.scheme.Range;
import org.ivit.core.scheme.Scheme;

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
    return GraphBuilder.build(architecture, new FloatWeights(weights, Map.of()), scheme, ranges);
  }
}
