package org.ivit.core.graph;

import java.util.stream.IntStream;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Windows;
import org.ivit.core.arithmetic.Dyadic;
import org.ivit.core.arithmetic.Quantizer;

/**
 * The relative position bias of a window's scores ({@code docs/arithmetic.md#windows-and-merging}):
 * {@code attn.biased = clamp8(requantize(score) + requantize(table))}.
 *
 * @param name full node name, such as {@code layers.0.blocks.0.attn.biased}
 * @param heads number of heads
 * @param table 8-bit codes, [(2w−1)²][heads]; shared, not to be changed
 * @param tableScale value of one table code step
 * @param score multiplier of the scores
 * @param position multiplier of the table
 * @param outputScale value of one output code step
 */
public record PositionBias(
    String name,
    int heads,
    byte[] table,
    float tableScale,
    Dyadic score,
    Dyadic position,
    float outputScale) {
  /** Proves that both terms fit 31 bits; throws {@link InputException} naming the node. */
  public PositionBias {
    if (table.length == 0 || table.length % heads != 0) {
      throw new InputException(
          "%s: found %d table codes, expected a multiple of %d heads"
              .formatted(name, table.length, heads));
    }
    long bound = Math.max(Math.abs(score.apply(-128)), Math.abs(position.apply(-128)));
    if (bound >= 1L << 30) {
      throw new InputException(
          name + ": refused, a term may reach " + bound + ", expected below 2^30");
    }
  }

  /**
   * @param name full node name
   * @param parameter name of the table, for messages
   * @param heads number of heads
   * @param table parameter {@code relative_position_bias_table}, [(2w−1)²][heads]
   * @param scoresScale scale of {@code attn.scores}
   * @param outputScale scale of {@code attn.biased}
   * @return the node, the table on the scale of its own minimum and maximum
   */
  public static PositionBias of(
      String name,
      String parameter,
      int heads,
      float[] table,
      float scoresScale,
      float outputScale) {
    float tableScale = Quantizer.scaleOf(parameter, table, 8);
    return new PositionBias(
        name,
        heads,
        Quantizer.codes8(parameter, table, tableScale),
        tableScale,
        Dyadic.of(name, Dyadic.ratio(scoresScale, outputScale)),
        Dyadic.of(name, Dyadic.ratio(tableScale, outputScale)),
        outputScale);
  }

  /** Requantized scores by code + 128. */
  public int[] scores() {
    return IntStream.range(-128, 128).map(code -> (int) score.apply(code)).toArray();
  }

  /** Requantized biases of the block's windows, [heads][query][key]. */
  public int[] biases(Windows windows) {
    int[] relative = windows.relativeIndex();
    int[] biases = new int[heads * relative.length];
    for (int head = 0; head < heads; head++) {
      for (int i = 0; i < relative.length; i++) {
        int code = table[relative[i] * heads + head];
        biases[head * relative.length + i] = (int) position.apply(code);
      }
    }
    return biases;
  }

  /**
   * @param scoreCode code of {@code attn.scores}
   * @param row row of the table
   * @param head number of the head
   * @return 8-bit code of {@code attn.biased}
   */
  public byte add(int scoreCode, int row, int head) {
    return Dyadic.add8(
        scoreCode,
        score.multiplier(),
        score.shift(),
        table[row * heads + head],
        position.multiplier(),
        position.shift());
  }
}
