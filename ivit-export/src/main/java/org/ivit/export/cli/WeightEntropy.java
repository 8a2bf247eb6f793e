package org.ivit.export.cli;

import org.ivit.core.weight.PackedBits;
import org.ivit.core.weight.WeightCodes;

/**
 * How far a layer's weights could be compressed one by one: the entropy of order 0 of what a file
 * stores of them, indices or 8-bit codes, by their frequencies in the layer.
 *
 * @param count number of weights
 * @param stored bytes of a file
 * @param bits entropy of a weight
 */
record WeightEntropy(long count, long stored, double bits) {
  private static final int VALUES = 256;

  /**
   * @param weights of a layer
   */
  static WeightEntropy of(WeightCodes weights) {
    long[] frequency = new long[VALUES];
    byte[] row = new byte[weights.inputs()];
    for (int c = 0; c < weights.outputs(); c++) {
      PackedBits.unpack(weights.stored(), c, weights.bits(), row);
      for (byte value : row) {
        frequency[value & 0xff]++;
      }
    }
    long count = (long) weights.outputs() * weights.inputs();
    double bits = 0;
    for (long f : frequency) {
      if (f > 0) {
        bits -= (double) f / count * Math.log((double) f / count) / Math.log(2);
      }
    }
    return new WeightEntropy(count, weights.stored().length, bits);
  }

  /** What a coder of single weights could not go below. */
  double bytes() {
    return bits * count / Byte.SIZE;
  }
}
