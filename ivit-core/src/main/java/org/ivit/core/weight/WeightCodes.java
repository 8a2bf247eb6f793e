package org.ivit.core.weight;

import org.ivit.core.InputException;

/**
 * The weights of a linear layer in integers: 8-bit codes as they are, or indices of a grid. Arrays
 * are shared, not to be changed.
 *
 * @param outputs number of output channels
 * @param inputs number of input channels
 * @param grid what indices decode to; null where {@code stored} are the codes themselves
 * @param stored codes, [outputs][inputs], or indices as {@link PackedBits} lays them, [outputs][row
 *     bytes]
 */
public record WeightCodes(int outputs, int inputs, WeightGrid grid, byte[] stored) {
  /**
   * Checks the sizes, and that no bit lies behind the last index of a row.
   *
   * @throws InputException saying what does not fit
   */
  public WeightCodes {
    int row = PackedBits.rowBytes(inputs, grid == null ? Byte.SIZE : grid.bits());
    if (stored.length != (long) outputs * row) {
      throw new InputException(
          "weight: %d elements, expected %d".formatted(stored.length, (long) outputs * row));
    }
    if (grid != null) {
      grid.requireSize("weight", outputs, inputs);
      int untidy = PackedBits.untidyRow(stored, inputs, grid.bits());
      if (untidy >= 0) {
        throw new InputException(
            "weight indices: row %d: found bits behind its last index, expected zeros"
                .formatted(untidy));
      }
    }
  }

  /**
   * @param codes 8 bits, [outputs][inputs]
   * @param outputs number of output channels
   */
  public static WeightCodes of(byte[] codes, int outputs) {
    return new WeightCodes(outputs, codes.length / outputs, null, codes);
  }

  /**
   * The indices of codes that lie on a grid, the lowest where several have the code.
   *
   * @param grid of the layer
   * @param codes 8 bits, [outputs][inputs]
   * @param outputs number of output channels
   * @throws IllegalArgumentException if a code is not on the grid
   */
  public static WeightCodes of(WeightGrid grid, byte[] codes, int outputs) {
    if (grid == null) {
      return of(codes, outputs);
    }
    int inputs = codes.length / outputs;
    byte[] indices = new byte[codes.length];
    for (int c = 0; c < outputs; c++) {
      for (int k = 0; k < inputs; k++) {
        int code = codes[c * inputs + k];
        int index = grid.nearest(c, k, code);
        if (grid.code(c, k, index) != code) {
          throw new IllegalArgumentException(
              "code %d of output %d, input %d is not on the grid".formatted(code, c, k));
        }
        indices[c * inputs + k] = (byte) index;
      }
    }
    return ofIndices(grid, indices, outputs);
  }

  /**
   * @param grid of the layer
   * @param indices of its weights, [outputs][inputs]
   * @param outputs number of output channels
   */
  public static WeightCodes ofIndices(WeightGrid grid, byte[] indices, int outputs) {
    int inputs = indices.length / outputs;
    return new WeightCodes(outputs, inputs, grid, PackedBits.pack(indices, inputs, grid.bits()));
  }

  /** Width of what is stored of a weight. */
  public int bits() {
    return grid == null ? Byte.SIZE : grid.bits();
  }

  /** What is stored of a weight, such as {@code 4 bits, group}, or {@code 8 bits}. */
  public String describe() {
    return grid == null ? "8 bits" : grid.describe();
  }

  /**
   * The 8-bit codes, [outputs][inputs]: shared where they are what is stored, else decoded anew by
   * each call.
   */
  public byte[] decoded() {
    if (grid == null) {
      return stored;
    }
    byte[] codes = new byte[Math.multiplyExact(outputs, inputs)];
    byte[] row = new byte[inputs];
    for (int c = 0; c < outputs; c++) {
      PackedBits.unpack(stored, c, grid.bits(), row);
      grid.decode(c, row, codes, c * inputs);
    }
    return codes;
  }

  /**
   * Output channels in another order.
   *
   * @param order for each channel of the answer its number here
   */
  public WeightCodes rows(int[] order) {
    return new WeightCodes(
        order.length,
        inputs,
        grid == null ? null : grid.rows(order),
        PackedBits.rows(stored, inputs, bits(), order));
  }
}
