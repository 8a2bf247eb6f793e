package org.ivit.core.engine.cuda.layer;

import org.ivit.core.InputException;
import org.ivit.core.architecture.Block;
import org.ivit.core.arithmetic.SoftmaxTable;
import org.ivit.core.cuda.Device;
import org.ivit.core.cuda.Launch;

/**
 * How the kernels of attention lie over a block's heads and queries.
 *
 * @param site sizes
 */
public record AttentionGrid(Block site) {
  private static final int MOST_WARPS = 7;
  private static final int MOST_HEAD_DIM = 256;
  private static final int QUERIES = 16;

  /** Where keys and values leave room for fewer, they are taken in spans. */
  private static final int ENOUGH_WARPS = 4;

  /** Tokens of a span: what is loaded between two barriers. */
  private static final int SPAN = 128;

  /**
   * Checks that a device can run it.
   *
   * @throws InputException if its rows of scores do not fit the device's shared memory, or a head
   *     is too wide
   */
  public void check(Device device) {
    String name = site.node("attn");
    if (site.headDim() > MOST_HEAD_DIM) {
      throw new InputException(
          "engine cuda: %s: heads of %d channels, expected at most %d"
              .formatted(name, site.headDim(), MOST_HEAD_DIM));
    }
    int bytes = sharedBytes(span(device), 1);
    if (bytes > device.sharedBytes()) {
      throw new InputException(
          "engine cuda: %s: %d tokens need %d bytes of shared memory, %s has %d"
              .formatted(name, site.rowTokens(), bytes, device.name(), device.sharedBytes()));
    }
  }

  /** Returns tokens whose keys and values a block holds at once: all, or a multiple of 32. */
  public int span(Device device) {
    int tokens = site.rowTokens();
    int warps = Math.min(ENOUGH_WARPS, tiles(tokens));
    return sharedBytes(tokens, warps) <= device.sharedBytes() ? tokens : Math.min(tokens, SPAN);
  }

  private static int tiles(int queries) {
    return (queries + QUERIES - 1) / QUERIES;
  }

  /** Returns channels of a head, padded so that products need no special case at its end. */
  public int paddedDim() {
    return ChannelOrder.roundUp(site.headDim(), 32);
  }

  /**
   * Channels in heads that are padded.
   *
   * @param parts runs of all heads: 3 of queries, keys and values, 1 of contexts
   * @return channel of each place, -1 in the padding
   */
  public int[] columns(int parts) {
    int padded = paddedDim();
    int[] columns = new int[Math.multiplyExact(parts * site.heads(), padded)];
    for (int i = 0; i < columns.length; i++) {
      int inside = i % padded;
      columns[i] = inside < site.headDim() ? i / padded * site.headDim() + inside : -1;
    }
    return columns;
  }

  /** What AttentionLayout in C++ lays out. */
  private int sharedBytes(int span, int warps) {
    int tokens = site.rowTokens();
    int terms = site.windows() == null ? 0 : 1024;
    int keys = ChannelOrder.roundUp(span, 16) * (paddedDim() + 16);
    int values = paddedDim() * (ChannelOrder.roundUp(span, 32) + 16);
    return 1040
        + terms
        + (span < tokens ? Math.max(keys, values) : keys + values)
        + warps * QUERIES * (ChannelOrder.roundUp(tokens, 32) + 16);
  }

  /** Returns the end of the name of the kernel for a softmax. */
  public String kernel(SoftmaxTable softmax, Device device) {
    int dim = paddedDim();
    return (dim <= 32 ? 32 : dim <= 64 ? 64 : MOST_HEAD_DIM)
        + (softmax.deferred() ? "_deferred" : softmax.bits() <= 8 ? "_narrow" : "")
        + (span(device) < site.rowTokens() ? "_spans" : "");
  }

  /**
   * A launch over groups of tokens.
   *
   * @param device of the launch
   * @param kernel its name
   * @param groups pictures or windows
   * @param queries of a group: all, or the first ones
   * @param arguments of the kernel
   */
  public Launch launch(Device device, String kernel, int groups, int queries, byte[] arguments) {
    int tiles = tiles(queries);
    int span = span(device);
    int warps = Math.min(tiles, warpsThatFit(device, span));
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
        kernel, groups, site.heads(), shares, 32 * warps, sharedBytes(span, warps), arguments);
  }

  private int warpsThatFit(Device device, int span) {
    int warps = MOST_WARPS;
    while (warps > 1 && sharedBytes(span, warps) > device.sharedBytes()) {
      warps--;
    }
    return warps;
  }
}
