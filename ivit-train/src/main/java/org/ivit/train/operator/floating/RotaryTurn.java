package org.ivit.train.operator.floating;

import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Rotary;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.NativeRows;
import org.ivit.train.memory.Reals;

/**
 * Turns queries and keys by a table, in place; [tokens][(q|k|v), dim] of pictures that lie one
 * after the other. The way back of gradients is the turn by the opposite angle.
 */
public final class RotaryTurn {
  private final int tokens;
  private final int leading;
  private final int dim;
  private final int headDim;
  private final int[] partner;
  private final double[] cos;
  private final double[] sin;

  /**
   * @param site a block with rotary positions
   * @param table sines and cosines, [tokens][headDim]
   */
  public RotaryTurn(Block site, Rotary.Table table) {
    this.tokens = site.tokens();
    this.leading = site.rotary().leading();
    this.dim = site.dim();
    this.headDim = site.headDim();
    this.partner = new int[headDim];
    for (int c = 0; c < headDim; c++) {
      partner[c] = site.rotary().kind().partner(c, headDim);
    }
    this.cos = table.cos();
    this.sin = table.sin();
  }

  /** {@code x[i] ← x[i]·cos[i] + x[j]·sin[i]}, j the other channel of the pair. */
  public void forward(Reals qkv, int pictures, Buffers scratch) {
    turn(qkv, pictures, 1, scratch);
  }

  /** The gradient by what was turned, of that by the result. */
  public void backward(Reals gradient, int pictures, Buffers scratch) {
    turn(gradient, pictures, -1, scratch);
  }

  private void turn(Reals x, int pictures, double direction, Buffers scratch) {
    if (NativeRows.serves(x, headDim)) {
      NativeRows.turn(
          NativeRows.address(x, 0, pictures * tokens * 3 * dim),
          pictures,
          tokens,
          leading,
          dim / headDim,
          headDim,
          partner,
          cos,
          sin,
          direction);
      return;
    }
    double[] row = scratch.doubles("rotary.row", 2 * dim);
    double[] turned = scratch.doubles("rotary.turned", 2 * dim);
    for (int picture = 0; picture < pictures; picture++) {
      for (int token = leading; token < tokens; token++) {
        int from = (picture * tokens + token) * 3 * dim;
        x.get(from, row, 0, 2 * dim);
        for (int head = 0; head < 2 * dim; head += headDim) {
          for (int c = 0; c < headDim; c++) {
            int at = token * headDim + c;
            turned[head + c] =
                row[head + c] * cos[at] + direction * row[head + partner[c]] * sin[at];
          }
        }
        x.put(from, turned, 0, 2 * dim);
      }
    }
  }
}
