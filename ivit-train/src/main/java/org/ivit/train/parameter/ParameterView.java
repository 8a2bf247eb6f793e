package org.ivit.train.parameter;

import java.util.LinkedHashMap;
import java.util.Map;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.weight.WeightGrid;
import org.ivit.train.memory.Reals;

/** The parameters of an operator as the core's builders read them: float32, by timm name. */
public final class ParameterView {
  private ParameterView() {}

  /**
   * @param layout where the parameters lie
   * @param prefix of timm names, such as {@code blocks.0.}
   * @param weights their memory
   * @return copies of all but the ranges
   */
  public static FloatWeights of(ParameterLayout layout, String prefix, Reals weights) {
    return of(layout, prefix, weights, true);
  }

  /** As {@link #of}, without the matrices of linear layers and their scales. */
  public static FloatWeights ofVectors(ParameterLayout layout, String prefix, Reals weights) {
    return of(layout, prefix, weights, false);
  }

  private static FloatWeights of(
      ParameterLayout layout, String prefix, Reals weights, boolean matrices) {
    Map<String, float[]> values = new LinkedHashMap<>();
    Map<String, float[]> scales = new LinkedHashMap<>();
    Map<String, WeightGrid> grids = new LinkedHashMap<>();
    for (ParameterLayout.Entry entry : layout.entries()) {
      if (entry.kind().ofModel() && (matrices || !entry.kind().decays())) {
        String name = prefix + entry.key();
        values.put(name, read(weights, entry));
        if (layout.grids().containsKey(entry.key())) {
          GridForm.Rounded rounded = grid(layout, entry, weights);
          scales.put(name, rounded.scale());
          grids.put(name, rounded.grid());
          continue;
        }
        float[] scale = scale(layout, entry, weights);
        if (scale != null) {
          scales.put(name, scale);
        }
      }
    }
    return new FloatWeights(values, scales, grids);
  }

  /**
   * The grid of a matrix that has one, as its points are.
   *
   * @param layout where the parameters lie
   * @param matrix one of them
   * @param weights their memory
   */
  public static GridForm.Rounded grid(
      ParameterLayout layout, ParameterLayout.Entry matrix, Reals weights) {
    int outputs = Math.toIntExact(matrix.shape().get(0));
    float[] points = read(weights, layout.entry(FloatWeights.gridName(matrix.key())));
    return layout.grids().get(matrix.key()).rounded(points, outputs, matrix.size() / outputs);
  }

  /** The frozen scales of a matrix, or null. */
  private static float[] scale(ParameterLayout layout, ParameterLayout.Entry entry, Reals weights) {
    String key = FloatWeights.scaleName(entry.key());
    if (!layout.contains(key)) {
      return null;
    }
    float[] scale = read(weights, layout.entry(key));
    return scale[0] == 0 ? null : scale;
  }

  private static float[] read(Reals weights, ParameterLayout.Entry entry) {
    float[] value = new float[entry.size()];
    weights.get(entry.from(), value, 0, value.length);
    return value;
  }
}
