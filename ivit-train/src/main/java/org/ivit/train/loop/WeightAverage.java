package org.ivit.train.loop;

import java.util.LinkedHashMap;
import java.util.Map;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.graph.FloatWeights;
import org.ivit.train.parameter.GridForm;
import org.ivit.train.parameter.GridPoints;

/**
 * The exponential moving average of the weights, and of the points of their grids: {@code average ←
 * d·average + (1−d)·weights}.
 */
final class WeightAverage {
  private final float decay;
  private final Architecture architecture;
  private final Map<String, GridForm> grids;
  private final Map<String, float[]> average = new LinkedHashMap<>();
  private final Map<String, float[]> scales;

  /**
   * @param decay d, 0 to below 1
   * @param start what it begins with; its frozen scales stay
   * @param architecture whose weights they are
   */
  WeightAverage(double decay, FloatWeights start, Architecture architecture) {
    this.decay = (float) decay;
    this.architecture = architecture;
    this.grids = GridPoints.forms(start.grids(), true);
    this.scales = start.scales();
    GridPoints.beside(start).values().forEach((name, values) -> average.put(name, values.clone()));
  }

  void update(FloatWeights weights) {
    float rest = 1 - decay;
    weights
        .values()
        .forEach(
            (name, values) -> {
              float[] kept = average.get(name);
              for (int i = 0; i < kept.length; i++) {
                kept[i] = decay * kept[i] + rest * values[i];
              }
            });
  }

  FloatWeights weights() {
    return GridPoints.rounded(new FloatWeights(average, scales), grids, architecture);
  }
}
