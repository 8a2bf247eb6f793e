package org.ivit.core.engine.jni;

import java.util.Arrays;
import org.ivit.core.weight.GroupGrid;
import org.ivit.core.weight.TableGrid;
import org.ivit.core.weight.WeightCodes;
import org.ivit.core.weight.WeightGrid;

/**
 * Weights in the form that the native side keeps: indices of 4 to 6 bits with what decodes them, or
 * 8-bit codes. Other grids are decoded here, so that their weights take 8 bits there; so they do
 * where a kernel set decodes indices once.
 *
 * @param weight codes, [outputs][inputs], or indices without gaps, [outputs][row bytes]
 * @param table codes of indices, [outputs][2^bits], or null
 * @param groupMultiplier of groups of 32 inputs, [outputs][groups], or null
 * @param bits of an index; 8 where weights are codes
 * @param groupShift of products with multipliers, below bits
 */
record NativeWeights(
    byte[] weight, byte[] table, byte[] groupMultiplier, int bits, int groupShift) {
  private static final int LEAST_BITS = 4;
  private static final int MOST_BITS = 6;
  private static final int GROUP_SIZE = 32;

  /**
   * @param codes of a layer
   */
  static NativeWeights of(WeightCodes codes) {
    WeightGrid grid = codes.grid();
    int bits = codes.bits();
    if (bits < LEAST_BITS || bits > MOST_BITS) {
      return decoded(codes);
    }
    if (grid instanceof TableGrid table) {
      return new NativeWeights(codes.stored(), table.table(), null, bits, 0);
    }
    if (grid instanceof GroupGrid groups) {
      return groups.size() == GROUP_SIZE && groups.shift() < bits
          ? new NativeWeights(codes.stored(), null, groups.multiplier(), bits, groups.shift())
          : decoded(codes);
    }
    byte[] ones = new byte[codes.outputs() * GroupGrid.groups(codes.inputs(), GROUP_SIZE)];
    Arrays.fill(ones, (byte) 1);
    return new NativeWeights(codes.stored(), null, ones, bits, 0);
  }

  private static NativeWeights decoded(WeightCodes codes) {
    return new NativeWeights(codes.decoded(), null, null, Byte.SIZE, 0);
  }
}
