package org.ivit.train.loop;

import java.util.LinkedHashMap;
import java.util.Map;
import org.ivit.core.graph.FloatWeights;

/** The exponential moving average of the weights: {@code average ← d·average + (1−d)·weights}. */
final class WeightAverage {
  private final float decay;
  private final Map<String, float[]> average = new LinkedHashMap<>();
  private final Map<String, float[]> scales;

  /**
   * @param decay d, 0 to below 1
   * @param start what it begins with; its frozen scales stay
   */
  WeightAverage(double decay, FloatWeights start) {
    this.decay = (float) decay;
    this.scales = start.scales();
    start.values().forEach((name, values) -> average.put(name, values.clone()));
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
    return new FloatWeights(average, scales);
  }
}
