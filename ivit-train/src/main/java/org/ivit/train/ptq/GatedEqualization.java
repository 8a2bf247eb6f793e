package org.ivit.train.ptq;

import java.util.LinkedHashMap;
import java.util.Map;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Block;
import org.ivit.core.graph.FloatWeights;

/**
 * Rewrites the gated MLPs of a float model so that the channels of their values, which have 8 bits
 * before and after they are gated, share their scales well: a channel is multiplied by what the
 * column of the last product is divided by, until the column is as large as the values are, before
 * and after in the geometric mean (cross-layer equalization, Nagel et al. 2019). So neither the
 * codes nor the weights that read them take all of what differs. Where a norm lies between, it
 * would undo this, and nothing is changed.
 */
final class GatedEqualization {
  /** Channels that are never met are left alone. */
  private static final float SMALLEST = 1e-6f;

  private GatedEqualization() {}

  /**
   * Equalizes every gated MLP.
   *
   * @param weights parameters by timm name, not changed, without frozen scales
   * @param largest largest absolute value of each channel, by node: those of {@code mlp.fc1_x} and
   *     {@code mlp.act}
   * @return other weights of the same float function
   */
  static FloatWeights apply(
      Architecture architecture, FloatWeights weights, Map<String, float[]> largest) {
    Map<String, float[]> values = new LinkedHashMap<>(weights.values());
    for (Block site : architecture.blocks()) {
      if (site.gated() && !site.gatedNorm()) {
        String value = site.valueLinear().weight();
        String bias = site.valueLinear().bias();
        String last = site.fc2Linear().weight();
        for (String name : new String[] {value, bias, last}) {
          values.put(name, values.get(name).clone());
        }
        float[] before = largest.get(site.valueLinear().node().name());
        float[] after = largest.get(site.act().name());
        equalize(site, values.get(value), values.get(bias), values.get(last), before, after);
      }
    }
    return new FloatWeights(values, Map.of());
  }

  private static void equalize(
      Block site, float[] value, float[] bias, float[] last, float[] before, float[] after) {
    int hidden = site.hidden();
    for (int c = 0; c < hidden; c++) {
      float column = 0;
      for (int i = c; i < last.length; i += hidden) {
        column = Math.max(column, Math.abs(last[i]));
      }
      if (before[c] > SMALLEST && after[c] > SMALLEST && column > SMALLEST) {
        float factor = (float) Math.sqrt(column / Math.sqrt((double) before[c] * after[c]));
        LinearScaling.row(value, bias, c, factor, site.dim());
        LinearScaling.column(last, c, factor, hidden);
      }
    }
  }
}
