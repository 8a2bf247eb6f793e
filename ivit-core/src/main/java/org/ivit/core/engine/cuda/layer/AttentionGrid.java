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
    if (sharedBytes(1) > device.sharedBytes()) {
      throw new InputException(
          "engine cuda: %s: %d tokens need %d bytes of shared memory, %s has %d"
              .formatted(
                  name, site.rowTokens(), sharedBytes(1), device.name(), device.sharedBytes()));
    }
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

  /** Returns the end of the name of the kernel for a softmax. */
  public String kernel(SoftmaxTable softmax) {
    int dim = paddedDim();
    return (dim <= 32 ? 32 : dim <= 64 ? 64 : MOST_HEAD_DIM)
        + (softmax.deferred() ? "_deferred" : softmax.bits() <= 8 ? "_narrow" : "");
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
        kernel, groups, site.heads(), shares, 32 * warps, sharedBytes(warps), arguments);
  }

  private int warpsThatFit(Device device) {
    int warps = MOST_WARPS;
    while (warps > 1 && sharedBytes(warps) > device.sharedBytes()) {
      warps--;
    }
    return warps;
  }
}
