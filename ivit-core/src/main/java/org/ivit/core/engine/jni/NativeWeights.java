package org.ivit.core.engine.jni;

import java.util.Arrays;
import org.ivit.core.weight.GroupGrid;
import org.ivit.core.weight.TableGrid;
import org.ivit.core.weight.WeightCodes;
import org.ivit.core.weight.WeightGrid;

/**
 * Weights in the form that the native side keeps: indices of 4 bits with what decodes them, or
 * 8-bit codes. Other grids are decoded here, so that their weights take 8 bits there.
 *
 * @param weight codes, [outputs][inputs], or indices, two a byte, [outputs][row bytes]
 * @param table codes of indices, [outputs][16], or null
 * @param groupMultiplier of groups of 32 inputs, 1 to 15, [outputs][groups], or null
 */
record NativeWeights(byte[] weight, byte[] table, byte[] groupMultiplier) {
  private static final int BITS = 4;
  private static final int GROUP_SIZE = 32;

  /**
   * @param codes of a layer
   */
  static NativeWeights of(WeightCodes codes) {
    WeightGrid grid = codes.grid();
    if (codes.bits() != BITS) {
      return decoded(codes);
    }
    if (grid instanceof TableGrid table) {
      return new NativeWeights(codes.stored(), table.table(), null);
    }
    if (grid instanceof GroupGrid groups) {
      return groups.size() == GROUP_SIZE && groups.shift() == 0
          ? new NativeWeights(codes.stored(), null, groups.multiplier())
          : decoded(codes);
    }
    byte[] ones = new byte[codes.outputs() * GroupGrid.groups(codes.inputs(), GROUP_SIZE)];
    Arrays.fill(ones, (byte) 1);
    return new NativeWeights(codes.stored(), null, ones);
  }

  private static NativeWeights decoded(WeightCodes codes) {
    return new NativeWeights(codes.decoded(), null, null);
  }
}
