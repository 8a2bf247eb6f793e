package org.ivit.core.graph;

import java.util.LinkedHashMap;
import java.util.Map;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Rotary;
import org.ivit.core.arithmetic.Dyadic;
import org.ivit.core.arithmetic.Quantizer;

/**
 * Rotary positions between the product qkv and the attention ({@code
 * docs/arithmetic.md#rotary-positions}): of 16-bit codes of queries, keys and values it makes 8-bit
 * ones, queries and keys turned by a table, values as they are.
 *
 * @param name full node name, such as {@code blocks.0.attn.rope}
 * @param turns the table
 * @param requantization from {@code 2^14} times codes of {@code attn.qkv} to the output codes
 * @param outputScale value of one output code step
 */
public record Rotation(String name, Turns turns, Dyadic requantization, float outputScale) {
  /** Fractional bits of sines and cosines. */
  public static final int BITS = 14;

  /**
   * Sines and cosines as codes; one for all blocks of a model.
   *
   * @param headDim channels of a head
   * @param partner the channel that each channel of a head makes a pair with
   * @param cos [tokens][headDim], times 2^14; shared, not to be changed
   * @param sin [tokens][headDim], times 2^14, with the sign of {@link Rotary.Table}; shared
   */
  public record Turns(int headDim, int[] partner, short[] cos, short[] sin) {
    private static final int KEPT = 16;

    private record Key(Rotary rotary, int headDim) {}

    /** Training asks for the same table at every step. */
    private static final Map<Key, Turns> RECENT =
        new LinkedHashMap<>(KEPT, 0.75f, true) {
          @Override
          protected boolean removeEldestEntry(Map.Entry<Key, Turns> eldest) {
            return size() > KEPT;
          }
        };

    /** Tokens of a picture. */
    public int tokens() {
      return cos.length / headDim;
    }

    /**
     * @param rotary angles and pairs
     * @param headDim channels of a head
     * @return the codes of its table
     */
    public static Turns of(Rotary rotary, int headDim) {
      synchronized (RECENT) {
        return RECENT.computeIfAbsent(new Key(rotary, headDim), key -> make(rotary, headDim));
      }
    }

    /** What the codes stand for. */
    public Rotary.Table values() {
      return new Rotary.Table(values(cos), values(sin));
    }

    private static double[] values(short[] codes) {
      double[] values = new double[codes.length];
      for (int i = 0; i < values.length; i++) {
        values[i] = Math.scalb((double) codes[i], -BITS);
      }
      return values;
    }

    private static Turns make(Rotary rotary, int headDim) {
      int[] partner = new int[headDim];
      for (int c = 0; c < headDim; c++) {
        partner[c] = rotary.kind().partner(c, headDim);
      }
      Rotary.Table table = rotary.table(headDim);
      return new Turns(headDim, partner, codes(table.cos()), codes(table.sin()));
    }

    private static short[] codes(double[] values) {
      short[] codes = new short[values.length];
      for (int i = 0; i < codes.length; i++) {
        codes[i] = (short) Math.rint(Math.scalb(values[i], BITS));
      }
      return codes;
    }
  }

  /**
   * @param block with rotary positions
   * @param inputScale scale of {@code attn.qkv}
   * @param outputScale scale of the range of {@code attn.rope}
   * @return the node
   */
  public static Rotation of(Block block, float inputScale, float outputScale) {
    String name = block.rope().name();
    return new Rotation(
        name,
        Turns.of(block.rotary(), block.headDim()),
        Dyadic.of(name, Dyadic.ratio(turnedScale(inputScale), outputScale)),
        outputScale);
  }

  /**
   * @param inputScale scale of {@code attn.qkv}
   * @return value of one step of {@link #turned}
   */
  public static float turnedScale(float inputScale) {
    return Math.scalb(inputScale, -BITS);
  }

  /**
   * The turned value of one channel: at most 2^15·√2·2^14 in magnitude.
   *
   * @param qkv 16-bit codes
   * @param head index of the first channel of a token's head in {@code qkv}
   * @param token of the picture
   * @param channel of the head
   * @return 2^14 times a code of {@code attn.qkv}
   */
  public int turned(short[] qkv, int head, int token, int channel) {
    int at = token * turns.headDim + channel;
    return qkv[head + channel] * turns.cos[at] + qkv[head + turns.partner[channel]] * turns.sin[at];
  }

  /**
   * @param turned 2^14 times a code of {@code attn.qkv}
   * @return 8-bit output code
   */
  public byte code(int turned) {
    return Quantizer.clamp8(requantization.apply(turned));
  }
}
