package org.ivit.core.engine;

import org.ivit.core.arithmetic.DyadicVector;
import org.ivit.core.graph.Linear;
import org.ivit.core.graph.Rotation.Turns;

/**
 * An order of a head's channels of queries and keys in which the two of a pair that turns lie where
 * an engine wants them. A query times a key is the same in every order; values keep theirs.
 */
public final class PairOrder {
  private final int[] channels;

  private PairOrder(int[] channels) {
    this.channels = channels;
  }

  /** The two of a pair side by side. */
  public static PairOrder neighbours(Turns turns) {
    return of(turns, 2, 1);
  }

  /** The first of all pairs in one half of the head, the second in the other. */
  public static PairOrder halves(Turns turns) {
    return of(turns, 1, turns.headDim() / 2);
  }

  private static PairOrder of(Turns turns, int step, int apart) {
    int[] channels = new int[turns.headDim()];
    int at = 0;
    for (int c = 0; c < channels.length; c++) {
      int partner = turns.partner()[c];
      if (c < partner) {
        channels[at] = c;
        channels[at + apart] = partner;
        at += step;
      }
    }
    return new PairOrder(channels);
  }

  /**
   * @param table sines or cosines, [tokens][headDim]
   * @return the same in this order
   */
  public short[] of(short[] table) {
    short[] ordered = new short[table.length];
    for (int head = 0; head < table.length; head += channels.length) {
      for (int c = 0; c < channels.length; c++) {
        ordered[head + c] = table[head + channels[c]];
      }
    }
    return ordered;
  }

  /**
   * @param qkv a layer whose outputs are [3][heads][headDim]
   * @return the same with queries and keys in this order
   */
  public Linear of(Linear qkv) {
    int outputs = qkv.outputs();
    int inputs = qkv.inputs();
    int[] bias = new int[outputs];
    int[] multiplier = new int[outputs];
    byte[] shift = new byte[outputs];
    int[] rows = new int[outputs];
    for (int to = 0; to < outputs; to++) {
      int from =
          to < outputs / 3 * 2 ? to - to % channels.length + channels[to % channels.length] : to;
      rows[to] = from;
      bias[to] = qkv.bias()[from];
      multiplier[to] = qkv.requantization().multiplier()[from];
      shift[to] = qkv.requantization().shift()[from];
    }
    return new Linear(
        qkv.name(),
        inputs,
        outputs,
        qkv.codes().rows(rows),
        bias,
        qkv.inputOutliers(),
        new DyadicVector(multiplier, shift),
        qkv.bits(),
        qkv.outputScale());
  }
}
