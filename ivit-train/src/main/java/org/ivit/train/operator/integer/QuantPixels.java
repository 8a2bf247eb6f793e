package org.ivit.train.operator.integer;

import org.ivit.core.architecture.Node;
import org.ivit.core.architecture.Stem;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.PatchRows;
import org.ivit.train.operator.SeenRanges;

/** Quantizes the pixels of a picture into rows of patches. */
final class QuantPixels {
  private final Stem shape;
  private final PatchRows patches;

  QuantPixels(Stem shape) {
    this.shape = shape;
    this.patches = new PatchRows(shape);
  }

  /**
   * @param x pixels, from {@code from}
   * @param scale of {@code input}
   * @param columns receives codes as numbers, [patches][inputs] from {@code at}
   * @param seen receives the values, or null
   */
  void unfold(
      Reals x, int from, float scale, Reals columns, int at, Buffers scratch, SeenRanges seen) {
    int size = shape.patches() * shape.patchInputs();
    byte[] codes = scratch.bytes("codes", size);
    int patch = shape.patch();
    float[] line = scratch.floats("line", patch);
    float reciprocal = Quantizer.reciprocal(scale);
    float min = Float.POSITIVE_INFINITY;
    float max = Float.NEGATIVE_INFINITY;
    int to = 0;
    for (int p = 0; p < shape.patches(); p++) {
      for (int channel = 0; channel < 3; channel++) {
        for (int row = 0; row < patch; row++) {
          x.get(from + patches.pixel(p, channel, row), line, 0, patch);
          for (int i = 0; i < patch; i++) {
            min = Math.min(min, line[i]);
            max = Math.max(max, line[i]);
            codes[to++] = (byte) Quantizer.code(line[i], reciprocal, 8);
          }
        }
      }
    }
    columns.put(at, codes, 0, size);
    if (seen != null) {
      seen.include(Node.INPUT.name(), min, max);
    }
  }
}
