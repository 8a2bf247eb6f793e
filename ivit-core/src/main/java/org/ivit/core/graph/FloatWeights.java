package org.ivit.core.graph;

import java.util.LinkedHashMap;
import java.util.Map;
import org.ivit.core.InputException;
import org.ivit.core.tensor.Tensor;

/**
 * Float weights by timm name, and weight scales where they are frozen.
 *
 * @param values parameters in row-major order, by timm name
 * @param scales frozen weight scales, one an output channel, by name of the weight; absent where
 *     the scale follows from the weights
 */
public record FloatWeights(Map<String, float[]> values, Map<String, float[]> scales) {

  /**
   * @param tensors parameters by timm name
   * @return their values as float32, without frozen scales
   */
  public static FloatWeights of(Map<String, Tensor> tensors) {
    Map<String, float[]> values = new LinkedHashMap<>();
    tensors.forEach((name, tensor) -> values.put(name, tensor.floats()));
    return new FloatWeights(values, Map.of());
  }

  /**
   * @param name timm name
   * @return the parameter; throws {@link InputException} naming it when it is missing
   */
  public float[] get(String name) {
    float[] value = values.get(name);
    if (value == null) {
      throw new InputException("weights: found no " + name);
    }
    return value;
  }

  /**
   * @param name timm name of a weight
   * @return its frozen scales, or null where the scale follows from the weights
   */
  public float[] frozenScale(String name) {
    return scales.get(name);
  }
}
