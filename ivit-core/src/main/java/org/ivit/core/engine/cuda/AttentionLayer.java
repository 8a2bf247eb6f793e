package org.ivit.core.engine.cuda;

import org.ivit.core.InputException;
import org.ivit.core.architecture.BlockSite;
import org.ivit.core.architecture.Windows;
import org.ivit.core.cuda.Arguments;
import org.ivit.core.cuda.Device;
import org.ivit.core.cuda.Divisor;
import org.ivit.core.cuda.Launch;
import org.ivit.core.graph.Attention;

/** An attention's constants on the device, and its launches. */
final class AttentionLayer {
  private static final int MOST_WARPS = 7;
  private static final int MOST_HEAD_DIM = 256;
  private static final int QUERIES = 16;

  private final Attention attention;
  private final BlockSite site;
  private final ChannelOrder context;
  private final long place;
  private final Channels channels;
  private final long records;
  private final long exponentials;
  private final WindowTables windows;

  /**
   * @param constants receives the constants
   * @param attention node
   * @param site sizes
   * @throws InputException if its rows of scores do not fit the device's shared memory, or a head
   *     is too wide
   */
  AttentionLayer(Constants constants, Attention attention, BlockSite site) {
    this.attention = attention;
    this.site = site;
    check(constants.device());
    context = new ChannelOrder(site.dim(), attention.contextOutliers());
    place = context.natural() ? 0 : constants.ints(context.places());
    int[] order = columns(1);
    channels = Channels.of(order, order.length, null, attention.context(), false);
    records = constants.ints(channels.records());
    exponentials = constants.ints(attention.softmax().exponentials());
    windows =
        site.windows() == null
            ? WindowTables.NONE
            : WindowTables.of(constants, attention.position(), site.windows());
  }

  private void check(Device device) {
    if (site.headDim() > MOST_HEAD_DIM) {
      throw new InputException(
          "engine cuda: %s: heads of %d channels, expected at most %d"
              .formatted(attention.name(), site.headDim(), MOST_HEAD_DIM));
    }
    if (sharedBytes(1) > device.sharedBytes()) {
      throw new InputException(
          "engine cuda: %s: %d tokens need %d bytes of shared memory, %s has %d"
              .formatted(
                  attention.name(),
                  site.rowTokens(),
                  sharedBytes(1),
                  device.name(),
                  device.sharedBytes()));
    }
  }

  /** Channels of a head, padded so that products need no special case at its end. */
  private int paddedDim() {
    return ChannelOrder.roundUp(site.headDim(), 32);
  }

  /**
   * Channels in heads that are padded.
   *
   * @param parts runs of all heads: 3 of queries, keys and values, 1 of contexts
   * @return channel of each place, -1 in the padding
   */
  int[] columns(int parts) {
    int padded = paddedDim();
    int[] columns = new int[Math.multiplyExact(parts * site.heads(), padded)];
    for (int i = 0; i < columns.length; i++) {
      int inside = i % padded;
      columns[i] = inside < site.headDim() ? i / padded * site.headDim() + inside : -1;
    }
    return columns;
  }

  /** Returns bytes of a row of queries, keys and values. */
  int inputStride() {
    return 3 * site.heads() * paddedDim();
  }

  /** Returns the order of the context's channels. */
  ChannelOrder context() {
    return context;
  }

  /** What AttentionLayout in C++ lays out. */
  private int sharedBytes(int warps) {
    int tokens = site.rowTokens();
    int stride = ChannelOrder.roundUp(tokens, 32) + 16;
    int terms = site.windows() == null ? 0 : 1024;
    return 1040
        + terms
        + ChannelOrder.roundUp(tokens, 16) * (paddedDim() + 16)
        + paddedDim() * stride
        + warps * QUERIES * stride;
  }

  /**
   * Contexts of queries.
   *
   * @param device of the launch
   * @param groups pictures or windows
   * @param queries of a group: all, or the first ones
   * @param qkv address of codes, {@link #inputStride} a token
   * @param output address of codes, {@link #context} a query
   */
  Launch launch(Device device, int groups, int queries, long qkv, long output) {
    int tiles = (queries + QUERIES - 1) / QUERIES;
    int warps = Math.min(tiles, warpsThatFit(device));
    // Where there are few groups, their queries are shared out; each block then loads all keys.
    int shares = 1;
    while (shares < tiles && (long) groups * site.heads() * shares < device.multiprocessors()) {
      shares *= 2;
    }
    int wanted = (tiles + shares - 1) / shares;
    int turns = (wanted + warps - 1) / warps;
    warps = (wanted + turns - 1) / turns;
    shares = (tiles + warps * turns - 1) / (warps * turns);
    return new Launch(
        kernel(),
        groups,
        site.heads(),
        shares,
        32 * warps,
        sharedBytes(warps),
        arguments(queries, qkv, output));
  }

  private int warpsThatFit(Device device) {
    int warps = MOST_WARPS;
    while (warps > 1 && sharedBytes(warps) > device.sharedBytes()) {
      warps--;
    }
    return warps;
  }

  private String kernel() {
    int dim = paddedDim();
    return "attention_"
        + (dim <= 32 ? 32 : dim <= 64 ? 64 : MOST_HEAD_DIM)
        + (attention.softmax().deferred()
            ? "_deferred"
            : attention.softmax().bits() <= 8 ? "_narrow" : "");
  }

  private byte[] arguments(int queries, long qkv, long output) {
    Windows w = site.windows();
    int count = w == null ? 1 : w.count();
    return new Arguments()
        .address(qkv)
        .address(output)
        .address(place)
        .address(records)
        .address(exponentials)
        .address(windows.scores())
        .address(windows.biases())
        .address(windows.masks())
        .dyadic(attention.scores())
        .divisor(Divisor.of(count))
        .ints(
            count,
            site.rowTokens(),
            queries,
            site.heads(),
            site.headDim(),
            paddedDim(),
            context.length(),
            windows.words(),
            attention.softmax().rounding(),
            attention.softmax().bits(),
            channels.wide() ? 1 : 0,
            0)
        .bytes();
  }
}
