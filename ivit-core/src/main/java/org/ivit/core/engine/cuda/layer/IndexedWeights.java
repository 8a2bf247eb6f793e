package org.ivit.core.engine.cuda.layer;

import java.util.Arrays;
import org.ivit.core.weight.GroupGrid;
import org.ivit.core.weight.PackedBits;
import org.ivit.core.weight.TableGrid;
import org.ivit.core.weight.WeightCodes;
import org.ivit.core.weight.WeightGrid;

/**
 * The weights of a layer on the device as indices of fewer than 8 bits, in the order of the
 * structure {@code IndexArguments} in C++; those of outlier channels as codes of 8 bits.
 */
final class IndexedWeights {
  private static final int CHUNK = 16;
  private static final int LOW_BITS = 4;
  private static final int MOST_BITS = 6;
  private static final int TABLE = 1 << LOW_BITS;

  private final WeightCodes codes;
  private final ChannelOrder inputs;
  private final int[] outputs;
  private final int padded;
  private final int chunks;
  private final int first;
  private final GroupGrid grouped;
  private final int groups;
  private final long low;
  private final long planes;
  private final long multipliers;
  private final long tables;
  private final long places;
  private final long outliers;

  /**
   * Whether kernels decode such weights: of at most 6 bits, tables of at most 4, whose 16 codes a
   * thread holds in registers, groups of 16 inputs or 32, 64 and so on.
   */
  static boolean suits(WeightCodes codes) {
    WeightGrid grid = codes.grid();
    if (grid == null || grid.bits() > MOST_BITS) {
      return false;
    }
    if (grid instanceof TableGrid) {
      return grid.bits() <= LOW_BITS;
    }
    int size = grid instanceof GroupGrid group ? group.size() : CHUNK;
    return size >= CHUNK && Integer.bitCount(size) == 1;
  }

  /**
   * @param constants receives them
   * @param codes that {@link #suits}
   * @param inputs order of the input channels
   * @param outputs output channel of each column, -1 for one of zeros
   * @param padded columns with those of the padding
   */
  IndexedWeights(
      Constants constants, WeightCodes codes, ChannelOrder inputs, int[] outputs, int padded) {
    this.codes = codes;
    this.inputs = inputs;
    this.outputs = outputs;
    this.padded = padded;
    chunks = inputs.length() / CHUNK;
    first = inputs.steps() * ChannelOrder.STEP;
    WeightGrid grid = codes.grid();
    grouped = grid instanceof TableGrid ? null : grouped(grid, codes);
    groups = grouped == null ? 0 : GroupGrid.groups(inputs.length() - first, grouped.size());
    int high = Math.max(0, grid.bits() - LOW_BITS);
    int[] lowest = new int[Math.multiplyExact(padded, 2 * chunks)];
    short[] above = new short[Math.multiplyExact(padded, high * chunks)];
    byte[] straight = new byte[Math.multiplyExact(padded, first)];
    pack(lowest, above, straight);
    low = constants.ints(lowest);
    planes = above.length == 0 ? 0 : constants.shorts(above);
    outliers = straight.length == 0 ? 0 : constants.bytes(straight);
    multipliers = grouped == null ? 0 : constants.bytes(multipliers());
    tables = grid instanceof TableGrid table ? constants.bytes(tables(table)) : 0;
    places = grid instanceof TableGrid ? constants.bytes(places()) : 0;
  }

  /** Groups that decode as a grid without tables does: uniform indices have multipliers of 1. */
  private static GroupGrid grouped(WeightGrid grid, WeightCodes codes) {
    if (grid instanceof GroupGrid group) {
      return group;
    }
    int size = GroupGrid.USUAL_SIZE;
    byte[] ones = new byte[codes.outputs() * GroupGrid.groups(codes.inputs(), size)];
    Arrays.fill(ones, (byte) 1);
    return new GroupGrid(grid.bits(), codes.inputs(), size, 0, ones);
  }

  private void pack(int[] lowest, short[] above, byte[] straight) {
    WeightGrid grid = codes.grid();
    int[] source = inputs.source();
    byte[] row = new byte[codes.inputs()];
    int plane = padded * chunks;
    for (int column = 0; column < padded; column++) {
      int output = column < outputs.length ? outputs[column] : -1;
      if (output >= 0) {
        PackedBits.unpack(codes.stored(), output, grid.bits(), row);
      }
      for (int k = 0; k < source.length; k++) {
        boolean absent = output < 0 || source[k] < 0;
        int index = absent ? 1 << (grid.bits() - 1) : row[source[k]];
        if (k < first) {
          straight[column * first + k] = (byte) (absent ? 0 : grid.code(output, source[k], index));
          continue;
        }
        int at = column * chunks + k / CHUNK;
        int pair = k % CHUNK / 2;
        int odd = k % 2;
        lowest[2 * at + pair / 4] |= (index & (TABLE - 1)) << (4 * (pair % 4) + 16 * odd);
        for (int p = 0; p < above.length / plane; p++) {
          above[p * plane + at] |= (short) ((index >> (LOW_BITS + p) & 1) << (pair + 8 * odd));
        }
      }
    }
  }

  /** Behind the last group of a channel there may be padding, which has multipliers too. */
  private byte[] multipliers() {
    int used = grouped.groups();
    byte[] wide = new byte[padded * groups];
    Arrays.fill(wide, (byte) 1);
    for (int column = 0; column < outputs.length; column++) {
      if (outputs[column] >= 0) {
        System.arraycopy(grouped.multiplier(), outputs[column] * used, wide, column * groups, used);
      }
    }
    return wide;
  }

  private byte[] tables(TableGrid grid) {
    byte[] wide = new byte[padded * TABLE];
    int entries = 1 << grid.bits();
    for (int column = 0; column < outputs.length; column++) {
      if (outputs[column] >= 0) {
        System.arraycopy(grid.table(), outputs[column] * entries, wide, column * TABLE, entries);
      }
    }
    return wide;
  }

  private byte[] places() {
    int[] source = inputs.source();
    byte[] mask = new byte[source.length];
    for (int k = 0; k < mask.length; k++) {
      mask[k] = (byte) (source[k] < 0 ? 0 : -1);
    }
    return mask;
  }

  /** What kernels take. */
  IndexArguments arguments() {
    IndexArguments a = new IndexArguments();
    a.low.set(low);
    a.planes.set(planes);
    a.multipliers.set(multipliers);
    a.tables.set(tables);
    a.places.set(places);
    a.outliers.set(outliers);
    a.plane.set((long) padded * chunks);
    a.bits.set(codes.grid().bits());
    a.shift.set(grouped == null ? 0 : grouped.shift());
    a.groups.set(groups);
    a.groupChunks.set(grouped == null ? 0 : Integer.numberOfTrailingZeros(grouped.size() / CHUNK));
    return a;
  }
}
