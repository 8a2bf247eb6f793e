package org.ivit.train.operator;

import java.util.LinkedHashMap;
import java.util.Map;
import org.ivit.core.graph.FloatWeights;

/** The parameters of an operator as the core's builders read them: float32, by timm name. */
final class ParameterView {
  private ParameterView() {}

  /**
   * @param layout where the parameters lie
   * @param prefix of timm names, such as {@code blocks.0.}
   * @param weights their memory
   * @return copies of all but the ranges
   */
  static FloatWeights of(ParameterLayout layout, String prefix, Reals weights) {
    Map<String, float[]> values = new LinkedHashMap<>();
    for (ParameterLayout.Entry entry : layout.entries()) {
      if (entry.kind() != ParameterKind.RANGE) {
        float[] value = new float[entry.size()];
        weights.get(entry.from(), value, 0, value.length);
        values.put(prefix + entry.key(), value);
      }
    }
    return new FloatWeights(values, Map.of());
  }
}
