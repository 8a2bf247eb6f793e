package org.ivit.core.engine.cuda.layer;

import org.ivit.core.arithmetic.Dyadic;
import org.ivit.core.cuda.Device;
import org.ivit.core.cuda.Divisor;
import org.ivit.core.cuda.Launch;
import org.ivit.core.cuda.Structure;
import org.ivit.core.graph.Linear;
import org.ivit.core.graph.Rotation;

/**
 * The product of queries, keys and values with rotary positions, whose constants are on the device.
 * The channels of a head's queries and keys lie in pairs that are turned together; scores, being
 * sums over channels, do not depend on their order.
 */
public final class RotatedLayer {
  private final LinearLayer product;
  private final Rotation rotation;
  private final AttentionGrid grid;
  private final long turns;

  private static final class RotatedLinearArguments extends Structure {
    private final Field<LinearArguments> linear = structure(new LinearArguments());
    private final Field<Long> turns = address();
    private final Field<Dyadic> rotation = dyadic();
    private final Field<Divisor> head = divisor();
    private final Field<Integer> paddedDim = int32();
    private final Field<Integer> turned = int32();
  }

  /**
   * @param constants receives them
   * @param qkv the product, to 16-bit codes
   * @param rotation of them
   * @param inputs order of the input channels
   * @param grid heads as attention reads them
   */
  public RotatedLayer(
      Constants constants, Linear qkv, Rotation rotation, ChannelOrder inputs, AttentionGrid grid) {
    this.rotation = rotation;
    this.grid = grid;
    int[] pairs = pairs(rotation.turns());
    product = new LinearLayer(constants, qkv, inputs, columns(pairs));
    turns = constants.ints(words(pairs, rotation.turns()));
  }

  /** The channels of a head, each followed by its partner. */
  private static int[] pairs(Rotation.Turns turns) {
    int[] pairs = new int[turns.headDim()];
    int place = 0;
    for (int c = 0; c < pairs.length; c++) {
      int partner = turns.partner()[c];
      if (c < partner) {
        pairs[place++] = c;
        pairs[place++] = partner;
      }
    }
    return pairs;
  }

  private int[] columns(int[] pairs) {
    int[] columns = grid.columns(3);
    for (int head = 0; head < turned(); head += grid.paddedDim()) {
      int first = columns[head];
      for (int i = 0; i < pairs.length; i++) {
        columns[head + i] = first + pairs[i];
      }
    }
    return columns;
  }

  private int turned() {
    return 2 * grid.site().heads() * grid.paddedDim();
  }

  /** A cosine and a sine a channel, [tokens][paddedDim]. */
  private int[] words(int[] pairs, Rotation.Turns turns) {
    int[] words = new int[Math.multiplyExact(turns.tokens(), grid.paddedDim())];
    for (int token = 0; token < turns.tokens(); token++) {
      for (int i = 0; i < pairs.length; i++) {
        int at = token * turns.headDim() + pairs[i];
        words[token * grid.paddedDim() + i] = (turns.cos()[at] & 0xffff) | (turns.sin()[at] << 16);
      }
    }
    return words;
  }

  /**
   * To 8-bit codes.
   *
   * @param device of the launch
   * @param rows tokens of whole pictures
   * @param input address of codes
   * @param output address of codes, [rows][3][heads][paddedDim]
   * @param stride bytes of a row of them
   */
  public Launch launch(Device device, int rows, long input, long output, int stride) {
    Tile tile = product.tile(device, rows);
    LinearArguments linear =
        product.codesArguments(rows, input, output, stride, RowMap.same(rotation.turns().tokens()));
    linear.withoutTables();
    RotatedLinearArguments a = new RotatedLinearArguments();
    a.linear.set(linear);
    a.turns.set(turns);
    a.rotation.set(rotation.requantization());
    a.head.set(Divisor.of(grid.paddedDim()));
    a.paddedDim.set(grid.paddedDim());
    a.turned.set(turned());
    return product.launch(tile, "rotated", tile.sharedBytes(), rows, a);
  }
}
