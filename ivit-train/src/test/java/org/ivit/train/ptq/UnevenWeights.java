package org.ivit.train.ptq;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.graph.FloatWeights;

/** Drawn weights whose queries, keys, values, gates and gated values differ in size by channel. */
final class UnevenWeights {
  private UnevenWeights() {}

  static FloatWeights of(Architecture architecture, Random random) {
    Map<String, float[]> values = new LinkedHashMap<>();
    architecture
        .parameters()
        .forEach(
            (name, shape) -> {
              int size = (int) Arrays.stream(shape).reduce(1, Math::multiplyExact);
              float[] value = normal(random, size);
              int inputs = size / (int) shape[0];
              boolean gamma = name.contains("norm") && name.endsWith("weight");
              boolean uneven = name.contains("attn.qkv.w") || name.contains("mlp.fc1_");
              double spread = 1;
              for (int i = 0; i < size; i++) {
                if (i % inputs == 0) {
                  spread = uneven ? Math.exp(random.nextGaussian()) : 1;
                }
                value[i] *= (float) (shape.length == 2 ? spread / Math.sqrt(inputs) : 0.2);
                value[i] += gamma ? 1 : 0;
              }
              values.put(name, value);
            });
    return new FloatWeights(values, Map.of());
  }

  static float[] normal(Random random, int n) {
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }
}
