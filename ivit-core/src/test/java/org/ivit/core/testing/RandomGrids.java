package org.ivit.core.testing;

import java.util.Arrays;
import java.util.Random;
import org.ivit.core.weight.GroupGrid;
import org.ivit.core.weight.TableGrid;
import org.ivit.core.weight.UniformGrid;
import org.ivit.core.weight.WeightGrid;

/** Grids of every coding and width, with the least and greatest of what they may hold. */
public final class RandomGrids {
  private static final int[] SHIFTS = {0, 0, 2, 3, 7};

  private RandomGrids() {}

  /**
   * A grid that has code 0.
   *
   * @param random what it is drawn from
   * @param outputs number of output channels
   * @param inputs number of input channels
   */
  public static WeightGrid of(Random random, int outputs, int inputs) {
    int bits = 4 + random.nextInt(3);
    return switch (random.nextInt(3)) {
      case 0 -> table(random, bits, outputs);
      case 1 -> group(random, bits, outputs, inputs);
      default -> new UniformGrid(bits);
    };
  }

  /** Tables of random codes, in each channel 0 and often equal ones. */
  public static TableGrid table(Random random, int bits, int outputs) {
    int size = 1 << bits;
    byte[] table = new byte[outputs * size];
    for (int c = 0; c < outputs; c++) {
      int spread = random.nextBoolean() ? 256 : 1 + random.nextInt(256);
      for (int i = c * size + 1; i < (c + 1) * size; i++) {
        table[i] = (byte) (random.nextInt(spread) - spread / 2);
      }
      Arrays.sort(table, c * size, (c + 1) * size);
    }
    return new TableGrid(bits, table);
  }

  /** Multipliers of groups of 32 inputs, often the least or greatest. */
  public static GroupGrid group(Random random, int bits, int outputs, int inputs) {
    int shift = SHIFTS[random.nextInt(SHIFTS.length)];
    int size = GroupGrid.USUAL_SIZE;
    int most = GroupGrid.most(bits, shift);
    byte[] multiplier = new byte[outputs * ((inputs + size - 1) / size)];
    for (int i = 0; i < multiplier.length; i++) {
      multiplier[i] = (byte) (random.nextInt(4) == 0 ? most : 1 + random.nextInt(most));
    }
    return new GroupGrid(bits, inputs, size, shift, multiplier);
  }
}
