package org.ivit.train.operator.integer;

import java.util.Objects;
import org.ivit.core.architecture.Block;
import org.ivit.core.graph.Rotation;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.NativeRows;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.SeenRanges;
import org.ivit.train.operator.floating.RotaryTurn;

/** Rotary positions of the quantized network ({@code docs/arithmetic.md#rotary-positions}). */
final class QuantRotation {
  private final Block site;
  private final RotaryTurn gradient;
  private Rotation node;
  private float inputScale;

  /**
   * @param site a block with rotary positions
   */
  QuantRotation(Block site) {
    this.site = site;
    this.gradient = new RotaryTurn(site, Rotation.Turns.of(site.rotary(), site.headDim()).values());
  }

  /** Takes the node of this pass. */
  void prepare(Rotation built, float scale) {
    node = built;
    inputScale = scale;
  }

  /**
   * @param qkv 16-bit codes, [pictures][tokens][3·dim]
   * @param out receives 8-bit codes, of the same shape
   * @param seen receives the values, or null
   */
  void forward(short[] qkv, byte[] out, int pictures, SeenRanges seen, Buffers scratch) {
    int[] extremes = {Integer.MAX_VALUE, Integer.MIN_VALUE};
    if (NativeRows.serves(scratch.type(), site.headDim())) {
      int size = pictures * site.tokens() * 3 * site.dim();
      Objects.checkFromIndexSize(0, size, Math.min(qkv.length, out.length));
      NativeRows.turnCodes(
          qkv,
          pictures,
          site.tokens(),
          site.heads(),
          site.headDim(),
          node.turns().partner(),
          node.turns().cos(),
          node.turns().sin(),
          node.requantization().multiplier(),
          node.requantization().shift(),
          out,
          extremes);
    } else {
      turn(qkv, out, pictures, extremes);
    }
    if (seen != null) {
      double scale = Rotation.turnedScale(inputScale);
      seen.include(node.name(), extremes[0] * scale, extremes[1] * scale);
    }
  }

  private void turn(short[] qkv, byte[] out, int pictures, int[] extremes) {
    int dim = site.dim();
    for (int row = 0; row < pictures * site.tokens(); row++) {
      int token = row % site.tokens();
      int from = row * 3 * dim;
      for (int head = 0; head < 3 * dim; head += site.headDim()) {
        for (int c = 0; c < site.headDim(); c++) {
          int at = from + head + c;
          int turned =
              head < 2 * dim ? node.turned(qkv, from + head, token, c) : qkv[at] << Rotation.BITS;
          extremes[0] = Math.min(extremes[0], turned);
          extremes[1] = Math.max(extremes[1], turned);
          out[at] = node.code(turned);
        }
      }
    }
  }

  /** Of the gradient by the codes' values makes that by those of the product, in place. */
  void backward(Reals gQkv, int pictures, Buffers scratch) {
    gradient.backward(gQkv, pictures, scratch);
  }
}
