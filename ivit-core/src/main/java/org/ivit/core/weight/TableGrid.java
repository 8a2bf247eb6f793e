package org.ivit.core.weight;

import org.ivit.core.InputException;

/**
 * A table of codes for each output channel. The array is shared, not to be changed.
 *
 * @param bits width of an index, 2 to 7
 * @param table codes, [outputs][2^bits], ascending in each row; equal neighbours may be
 */
public record TableGrid(int bits, byte[] table) implements WeightGrid {
  /**
   * Checks the order of the codes.
   *
   * @throws InputException naming the first code that is below the one before it
   */
  public TableGrid {
    WeightGrid.requireBits(bits);
    int size = 1 << bits;
    if (table.length % size != 0) {
      throw new InputException(
          "weight table: found %d codes, expected a multiple of %d".formatted(table.length, size));
    }
    for (int i = 1; i < table.length; i++) {
      if (i % size != 0 && table[i] < table[i - 1]) {
        throw new InputException(
            "weight table: channel %d: code %d is %d, expected at least the %d before it"
                .formatted(i / size, i % size, table[i], table[i - 1]));
      }
    }
  }

  @Override
  public WeightCoding coding() {
    return WeightCoding.TABLE;
  }

  @Override
  public int code(int output, int input, int index) {
    return table[(output << bits) + index];
  }

  @Override
  public void decode(int output, byte[] indices, byte[] codes, int from) {
    int first = output << bits;
    for (int k = 0; k < indices.length; k++) {
      codes[from + k] = table[first + indices[k]];
    }
  }

  @Override
  public WeightGrid rows(int[] order) {
    return new TableGrid(bits, Rows.of(table, 1 << bits, order));
  }

  @Override
  public void requireSize(String name, int outputs, int inputs) {
    if (table.length != (long) outputs << bits) {
      throw new InputException(
          "%s: found %d codes of weight tables, expected %d for each of %d output channels"
              .formatted(name, table.length, 1 << bits, outputs));
    }
  }
}
