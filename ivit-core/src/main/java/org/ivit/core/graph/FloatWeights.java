package org.ivit.core.graph;

import java.nio.DoubleBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import org.ivit.core.InputException;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.core.tensor.DType;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.weight.WeightGrid;

/**
 * Float weights by timm name, weight scales where they are frozen, and grids where codes have fewer
 * than 8 bits.
 *
 * @param values parameters in row-major order, by timm name
 * @param scales frozen weight scales, one an output channel, by name of the weight; absent where
 *     the scale follows from the weights
 * @param grids which the weights' codes lie on, by name of the weight, whose scales are frozen;
 *     absent where codes have 8 bits
 */
public record FloatWeights(
    Map<String, float[]> values, Map<String, float[]> scales, Map<String, WeightGrid> grids) {

  private static final String WEIGHT = ".weight";
  private static final String SCALE = "_scale";
  private static final String GRID = "_grid";
  private static final int BITS = 8;

  /** Weights of 8 bits; parameters as those of the record. */
  public FloatWeights(Map<String, float[]> values, Map<String, float[]> scales) {
    this(values, scales, Map.of());
  }

  /**
   * @param tensors parameters by timm name; beside {@code NAME.weight} its frozen scales may lie as
   *     {@code NAME.weight_scale}
   * @return their values as float32; those of F64 rounded to nearest
   */
  public static FloatWeights of(Map<String, Tensor> tensors) {
    Map<String, float[]> values = new LinkedHashMap<>();
    Map<String, float[]> scales = new LinkedHashMap<>();
    tensors.forEach(
        (name, tensor) -> {
          if (name.endsWith(WEIGHT + SCALE)) {
            scales.put(name.substring(0, name.length() - SCALE.length()), tensor.floats());
          } else {
            values.put(name, floats(tensor));
          }
        });
    return new FloatWeights(values, scales);
  }

  private static float[] floats(Tensor tensor) {
    if (tensor.dtype() != DType.F64) {
      return tensor.floats();
    }
    DoubleBuffer values = tensor.buffer().asDoubleBuffer();
    float[] rounded = new float[values.remaining()];
    for (int i = 0; i < rounded.length; i++) {
      rounded[i] = (float) values.get(i);
    }
    return rounded;
  }

  /**
   * The name under which a file holds a weight's frozen scales.
   *
   * @param weight timm name of a weight, {@code NAME.weight}
   */
  public static String scaleName(String weight) {
    return weight + SCALE;
  }

  /**
   * The name under which training keeps, among the values, the numbers that a weight's grid follows
   * from.
   *
   * @param weight timm name of a weight, {@code NAME.weight}
   */
  public static String gridName(String weight) {
    return weight + GRID;
  }

  /**
   * Requires that frozen scales hold their weights: each weight, divided by the scale of its output
   * channel, is a code of 8 bits when rounded.
   *
   * @param source what the weights come from, for the message
   * @throws InputException naming the first weight that is beyond, or the scales that do not fit
   */
  public void requireCodes(String source) {
    scales.forEach((name, scale) -> requireCodes(source, name, get(name), scale));
  }

  private static void requireCodes(String source, String name, float[] weight, float[] scale) {
    if (scale.length == 0 || weight.length % scale.length != 0) {
      throw new InputException(
          "%s: %s: found %d scales for %d weights, expected one an output channel"
              .formatted(source, scaleName(name), scale.length, weight.length));
    }
    int inputs = weight.length / scale.length;
    int most = (1 << (BITS - 1)) - 1;
    for (int i = 0; i < weight.length; i++) {
      double code = Math.rint(Quantizer.reciprocal(scale[i / inputs]) * weight[i]);
      if (!(code >= -most - 1 && code <= most)) {
        throw new InputException(
            "%s: %s: element %d is %s, which is code %.0f of its channel's frozen scale %s, expected %d to %d"
                .formatted(source, name, i, weight[i], code, scale[i / inputs], -most - 1, most));
      }
    }
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

  /**
   * @param name timm name of a weight
   * @return the grid of its codes, or null where they have 8 bits
   */
  public WeightGrid grid(String name) {
    return grids.get(name);
  }
}
