package org.ivit.core.testing;

import java.util.HashMap;
import java.util.Map;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.LinearSpec;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.weight.GroupGrid;
import org.ivit.core.weight.WeightGrid;

/**
 * Weights of blocks in 4 to 6 bits, rounded to nearest, with a multiplier for each group of 32
 * inputs and the shift that calibration takes.
 */
public final class GroupedWeights {
  private GroupedWeights() {}

  /**
   * @param architecture whose blocks' layers get grids
   * @param weights of 8 bits
   * @param bits 4 to 6
   */
  public static FloatWeights of(Architecture architecture, FloatWeights weights, int bits) {
    Map<String, float[]> scales = new HashMap<>(weights.scales());
    Map<String, WeightGrid> grids = new HashMap<>();
    for (Block block : architecture.blocks()) {
      for (LinearSpec layer : block.linears()) {
        add(layer, weights.values().get(layer.weight()), bits, scales, grids);
      }
    }
    return new FloatWeights(weights.values(), scales, grids);
  }

  private static void add(
      LinearSpec layer,
      float[] weight,
      int bits,
      Map<String, float[]> scales,
      Map<String, WeightGrid> grids) {
    int size = GroupGrid.USUAL_SIZE;
    int groups = (layer.inputs() + size - 1) / size;
    int shift = bits == 4 ? 0 : bits - 3;
    int most = GroupGrid.most(bits, shift);
    int largestNumber = (1 << (bits - 1)) - 1;
    byte[] multiplier = new byte[layer.outputs() * groups];
    float[] scale = new float[layer.outputs()];
    for (int c = 0; c < layer.outputs(); c++) {
      float[] largest = new float[groups];
      float all = 0;
      for (int k = 0; k < layer.inputs(); k++) {
        float magnitude = Math.abs(weight[c * layer.inputs() + k]);
        largest[k / size] = Math.max(largest[k / size], magnitude);
        all = Math.max(all, magnitude);
      }
      scale[c] = all / largestNumber / most * (1 << shift);
      for (int g = 0; g < groups; g++) {
        long m = Math.round((double) largest[g] / largestNumber / scale[c] * (1 << shift));
        multiplier[c * groups + g] = (byte) Math.max(1, Math.min(most, m));
      }
    }
    scales.put(layer.weight(), scale);
    grids.put(layer.weight(), new GroupGrid(bits, layer.inputs(), size, shift, multiplier));
  }
}
