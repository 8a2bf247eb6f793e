package org.ivit.train.parameter;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.LinearSpec;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.weight.GroupGrid;
import org.ivit.core.weight.TableGrid;
import org.ivit.core.weight.UniformGrid;
import org.ivit.core.weight.WeightCoding;
import org.ivit.core.weight.WeightGrid;

/** Weights of fewer bits for tests, their grids wide enough and of any numbers besides. */
public final class GridWeights {
  private GridWeights() {}

  /** All linear layers on grids of their own; floats stay as they are. */
  public static FloatWeights of(
      FloatWeights weights, Architecture architecture, WeightCoding coding, int bits) {
    SplittableRandom random = new SplittableRandom(bits);
    Map<String, float[]> scales = new LinkedHashMap<>();
    Map<String, WeightGrid> grids = new LinkedHashMap<>();
    for (LinearSpec layer : architecture.linears()) {
      float[] weight = weights.get(layer.weight());
      WeightGrid grid = grid(coding, bits, layer.outputs(), layer.inputs(), random);
      float[] scale = new float[layer.outputs()];
      for (int c = 0; c < scale.length; c++) {
        float largest = 0;
        for (int k = c * layer.inputs(); k < (c + 1) * layer.inputs(); k++) {
          largest = Math.max(largest, Math.abs(weight[k]));
        }
        // A little too narrow, so that some weights are clipped.
        scale[c] = 0.9f * largest / grid.code(c, 0, (1 << bits) - 1);
      }
      scales.put(layer.weight(), scale);
      grids.put(layer.weight(), grid);
    }
    return new FloatWeights(weights.values(), scales, grids);
  }

  /** A grid whose first group and last entry have the greatest numbers that may be. */
  public static WeightGrid grid(
      WeightCoding coding, int bits, int outputs, int inputs, SplittableRandom random) {
    return switch (coding) {
      case UNIFORM -> new UniformGrid(bits);
      case GROUP -> group(bits, outputs, inputs, random);
      case TABLE -> table(bits, outputs, random);
    };
  }

  private static GroupGrid group(int bits, int outputs, int inputs, SplittableRandom random) {
    int size = Math.min(8, inputs);
    int shift = bits <= 4 ? 0 : bits - 3;
    int groups = (inputs + size - 1) / size;
    int most = GroupGrid.most(bits, shift);
    byte[] multiplier = new byte[outputs * groups];
    for (int i = 0; i < multiplier.length; i++) {
      multiplier[i] = (byte) (i % groups == 0 ? most : random.nextInt(most / 2, most + 1));
    }
    return new GroupGrid(bits, inputs, size, shift, multiplier);
  }

  private static TableGrid table(int bits, int outputs, SplittableRandom random) {
    int entries = 1 << bits;
    byte[] table = new byte[outputs * entries];
    for (int c = 0; c < outputs; c++) {
      int[] codes = random.ints(entries - 1, -126, 127).sorted().toArray();
      for (int i = 0; i < entries - 1; i++) {
        table[c * entries + i] = (byte) codes[i];
      }
      table[c * entries + entries - 1] = 127;
    }
    return new TableGrid(bits, table);
  }
}
