package org.ivit.core.weight;

/**
 * Rows of small numbers without gaps: number i of a row has the bits from i·bits on, lowest first,
 * and each row begins with a byte of its own. Bits behind a row's last number are zero.
 */
public final class PackedBits {
  private PackedBits() {}

  /**
   * Bytes of a row.
   *
   * @param count numbers of a row
   * @param bits 1 to 8
   */
  public static int rowBytes(int count, int bits) {
    return Math.toIntExact(((long) count * bits + 7) / 8);
  }

  /**
   * @param numbers [rows][count], each 0 to 2^bits − 1
   * @param count numbers of a row
   * @param bits 1 to 8
   * @return [rows][rowBytes]
   */
  public static byte[] pack(byte[] numbers, int count, int bits) {
    int rows = numbers.length / count;
    int width = rowBytes(count, bits);
    byte[] packed = new byte[Math.multiplyExact(rows, width)];
    for (int r = 0; r < rows; r++) {
      int held = 0;
      int window = 0;
      int to = r * width;
      for (int i = r * count; i < (r + 1) * count; i++) {
        window |= (numbers[i] & 0xff) << held;
        held += bits;
        while (held >= 8) {
          packed[to++] = (byte) window;
          window >>>= 8;
          held -= 8;
        }
      }
      if (held > 0) {
        packed[to] = (byte) window;
      }
    }
    return packed;
  }

  /**
   * One row's numbers.
   *
   * @param packed [rows][rowBytes]
   * @param row its number
   * @param bits 1 to 8
   * @param numbers filled, [count]
   */
  public static void unpack(byte[] packed, int row, int bits, byte[] numbers) {
    int from = row * rowBytes(numbers.length, bits);
    int mask = (1 << bits) - 1;
    int held = 0;
    int window = 0;
    for (int i = 0; i < numbers.length; i++) {
      if (held < bits) {
        window |= (packed[from++] & 0xff) << held;
        held += 8;
      }
      numbers[i] = (byte) (window & mask);
      window >>>= bits;
      held -= bits;
    }
  }

  /**
   * The first row whose bits behind its last number are not zero.
   *
   * @param packed [rows][rowBytes]
   * @param count numbers of a row
   * @param bits 1 to 8
   * @return −1 where there is none
   */
  public static int untidyRow(byte[] packed, int count, int bits) {
    int used = (int) ((long) count * bits % 8);
    if (used == 0) {
      return -1;
    }
    int width = rowBytes(count, bits);
    for (int last = width - 1; last < packed.length; last += width) {
      if ((packed[last] & 0xff) >>> used != 0) {
        return last / width;
      }
    }
    return -1;
  }

  /**
   * All numbers.
   *
   * @param packed [rows][rowBytes]
   * @param count numbers of a row
   * @param bits 1 to 8
   * @return [rows][count]
   */
  public static byte[] unpack(byte[] packed, int count, int bits) {
    int rows = packed.length / rowBytes(count, bits);
    byte[] numbers = new byte[Math.multiplyExact(rows, count)];
    byte[] row = new byte[count];
    for (int r = 0; r < rows; r++) {
      unpack(packed, r, bits, row);
      System.arraycopy(row, 0, numbers, r * count, count);
    }
    return numbers;
  }

  /**
   * Rows in another order.
   *
   * @param packed [rows][rowBytes]
   * @param count numbers of a row
   * @param bits 1 to 8
   * @param order for each row of the answer its number here
   */
  public static byte[] rows(byte[] packed, int count, int bits, int[] order) {
    return Rows.of(packed, rowBytes(count, bits), order);
  }
}
