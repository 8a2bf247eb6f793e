package org.ivit.core.checkpoint;

import org.ivit.core.InputException;
import org.ivit.core.weight.GroupGrid;
import org.ivit.core.weight.PackedBits;
import org.ivit.core.weight.TableGrid;
import org.ivit.core.weight.UniformGrid;
import org.ivit.core.weight.WeightCoding;
import org.ivit.core.weight.WeightGrid;

/**
 * What the JSON says of a layer whose weights have fewer than 8 bits.
 *
 * @param bits of an index
 * @param codes how an index becomes a code
 * @param size inputs of a group; 0 where codes have none
 * @param shift of a group's codes; 0 where codes have none
 */
record WeightForm(int bits, String codes, int size, int shift) {
  static WeightForm of(WeightGrid grid) {
    return grid instanceof GroupGrid group
        ? new WeightForm(grid.bits(), grid.coding().key(), group.size(), group.shift())
        : new WeightForm(grid.bits(), grid.coding().key(), 0, 0);
  }

  WeightCoding coding() {
    return WeightCoding.parse(codes);
  }

  /** Requires that the keys belong together. */
  void check(String node) {
    WeightGrid.requireBits(bits);
    if (coding() == WeightCoding.GROUP) {
      new GroupGrid(bits, 1, size, shift, new byte[] {1});
    } else if (size != 0 || shift != 0) {
      throw new InputException(
          "graph: weights of %s: found size %d and shift %d, expected 0 with codes %s"
              .formatted(node, size, shift, codes));
    }
  }

  /** Width of a multiplier in the file. */
  int multiplierBits() {
    return Integer.SIZE - Integer.numberOfLeadingZeros(GroupGrid.most(bits, shift));
  }

  /** Bytes of a channel's multipliers in the file. */
  int multiplierBytes(int inputs) {
    return PackedBits.rowBytes(GroupGrid.groups(inputs, size), multiplierBits());
  }

  /** What a group's multipliers look like in the file. */
  byte[] packed(GroupGrid grid) {
    return PackedBits.pack(grid.multiplier(), grid.groups(), multiplierBits());
  }

  /**
   * The grid of a layer.
   *
   * @param inputs of the layer
   * @param constants table or packed multipliers; of no use where codes are uniform
   */
  WeightGrid grid(int inputs, byte[] constants) {
    return switch (coding()) {
      case TABLE -> new TableGrid(bits, constants);
      case UNIFORM -> new UniformGrid(bits);
      case GROUP -> {
        int untidy =
            PackedBits.untidyRow(constants, GroupGrid.groups(inputs, size), multiplierBits());
        if (untidy >= 0) {
          throw new InputException(
              "row %d: found bits behind its last multiplier, expected zeros".formatted(untidy));
        }
        yield new GroupGrid(
            bits,
            inputs,
            size,
            shift,
            PackedBits.unpack(constants, GroupGrid.groups(inputs, size), multiplierBits()));
      }
    };
  }
}
