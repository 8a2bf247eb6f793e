package org.ivit.core.testing;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.LinearSpec;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.weight.WeightCoding;
import org.ivit.core.weight.WeightGrid;

/** Float weights that are quantized to codes on grids. */
public final class GridWeights {
  private GridWeights() {}

  /**
   * The same weights, with grids and the scales that go with them: the largest weight of a channel
   * is the largest code of 8 bits, or of a uniform grid.
   *
   * @param architecture of the weights
   * @param weights without frozen scales
   * @param grids of a layer's codes, or null where they have 8 bits
   */
  public static FloatWeights of(
      Architecture architecture, FloatWeights weights, Function<LinearSpec, WeightGrid> grids) {
    Map<String, float[]> scales = new HashMap<>();
    Map<String, WeightGrid> found = new HashMap<>();
    for (LinearSpec layer : architecture.linears()) {
      WeightGrid grid = grids.apply(layer);
      if (grid != null) {
        int most = grid.coding() == WeightCoding.UNIFORM ? (1 << (grid.bits() - 1)) - 1 : 127;
        found.put(layer.weight(), grid);
        scales.put(layer.weight(), scales(weights.get(layer.weight()), layer.outputs(), most));
      }
    }
    return new FloatWeights(weights.values(), scales, found);
  }

  private static float[] scales(float[] weight, int outputs, int most) {
    float[] scales = new float[outputs];
    int inputs = weight.length / outputs;
    for (int i = 0; i < weight.length; i++) {
      scales[i / inputs] = Math.max(scales[i / inputs], Math.abs(weight[i]) / most);
    }
    return scales;
  }
}
