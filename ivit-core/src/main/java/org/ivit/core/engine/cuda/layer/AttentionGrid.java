package org.ivit.core.engine.cuda.layer;

import org.ivit.core.InputException;
import org.ivit.core.architecture.Block;
import org.ivit.core.arithmetic.SoftmaxTable;
import org.ivit.core.cuda.Device;
import org.ivit.core.cuda.Launch;
import org.ivit.core.cuda.Structure;

/**
 * How the kernels of attention lie over a block's heads and queries.
 *
 * @param site sizes
 */
public record AttentionGrid(Block site) {
  private static final int MOST_WARPS = 7;
  private static final int MOST_HEAD_DIM = 256;
  private static final int QUERIES = 16;
  private static final int KEYS = 32;

  /**
   * Warps of a block that hide the latency of loading keys and values, if there is work for them.
   * Where keys and values leave room for fewer, they are taken in spans.
   */
  private static final int ENOUGH_WARPS = 4;

  /** Warps of all blocks of a multiprocessor, which is what registers allow. */
  private static final int RESIDENT_WARPS = 14;

  /** Shared memory that a block takes beside its own. */
  private static final int RESERVED_BYTES = 1024;

  private static final int MOST_COPY_BITS = 3;

  /** Tokens of a span: what is loaded between two barriers. */
  private static final int SPAN = 128;

  /** Channels that a warp sums at a time. */
  private static final int MOST_CHANNELS = 64;

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
    int bytes = sharedBytes(span(device), 1, false, 0);
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
    return sharedBytes(tokens, warps, false, 0) <= device.sharedBytes()
        ? tokens
        : Math.min(tokens, SPAN);
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
  private int sharedBytes(int span, int warps, boolean together, int copyBits) {
    int tokens = ChannelOrder.roundUp(site.rowTokens(), KEYS);
    int terms = site.windows() == null ? 0 : 1024;
    boolean whole = span >= site.rowTokens();
    int keys = (whole ? tokens : span) * (paddedDim() + 16);
    int values = whole ? tokens * paddedDim() : 0;
    int scores = tokens * QUERIES;
    int sums = QUERIES * (8 + 4 * Math.min(paddedDim(), MOST_CHANNELS));
    return ((SoftmaxTable.SIZE * 16) << copyBits)
        + terms
        + keys
        + values
        + (together ? scores + warps * sums : warps * scores);
  }

  /** Returns the end of the name of the kernel for a softmax. */
  public String kernel(SoftmaxTable softmax, Device device) {
    int dim = paddedDim();
    boolean spans = span(device) < site.rowTokens();
    boolean windows = site.windows() != null && !spans && dim <= 64;
    return (dim <= 32 ? 32 : dim <= 64 ? 64 : MOST_HEAD_DIM)
        + (softmax.deferred() ? "_deferred" : softmax.bits() <= 8 ? "_narrow" : "")
        + (windows ? "_windows" : spans ? "_spans" : "");
  }

  /**
   * A launch over groups of tokens.
   *
   * @param device of the launch
   * @param kernel its name
   * @param groups pictures or windows
   * @param queries of a group: all, or the first ones
   * @param attention what attention takes; receives how the launch lies
   * @param all arguments of the kernel, of which {@code attention} is a part or the whole
   */
  public Launch launch(
      Device device,
      String kernel,
      int groups,
      int queries,
      AttentionArguments attention,
      Structure all) {
    AttentionShape shape = shape(device, groups, queries);
    shape.set(attention);
    return shape.launch(kernel, groups, site.heads(), all.bytes());
  }

  /** How a launch lies. */
  AttentionShape shape(Device device, int groups, int queries) {
    int tiles = tiles(queries);
    long heads = (long) groups * site.heads();
    int span = span(device);
    int parts = Math.min(MOST_WARPS, (site.rowTokens() + KEYS - 1) / KEYS);
    // Where there are few queries, the warps of a block share 16 of them.
    if (parts >= ENOUGH_WARPS
        && (tiles < ENOUGH_WARPS || heads * tiles <= 2L * device.multiprocessors())) {
      int warps = warpsThatFit(device, span, parts, true);
      if (warps >= ENOUGH_WARPS) {
        return shape(device, heads, span, tiles, warps, true);
      }
    }
    int warps = warpsThatFit(device, span, Math.min(MOST_WARPS, tiles), false);
    long idle = (device.multiprocessors() + heads - 1) / heads;
    int shares = (int) Math.max(1, Math.min(idle, tiles / ENOUGH_WARPS));
    int wanted = (tiles + shares - 1) / shares;
    int turns = (wanted + warps - 1) / warps;
    warps = (wanted + turns - 1) / turns;
    shares = (tiles + warps * turns - 1) / (warps * turns);
    return shape(device, heads, span, shares, warps, false);
  }

  private AttentionShape shape(
      Device device, long heads, int span, int shares, int warps, boolean together) {
    int copyBits = copyBits(device, heads * shares, span, warps, together);
    int bytes = sharedBytes(span, warps, together, copyBits);
    return new AttentionShape(shares, warps, together, span, copyBits, bytes);
  }

  private int warpsThatFit(Device device, int span, int warps, boolean together) {
    while (warps > 1 && sharedBytes(span, warps, together, 0) > device.sharedBytes()) {
      warps--;
    }
    return warps;
  }

  /** As many copies of a table as leave room for the blocks that a multiprocessor may hold. */
  private int copyBits(Device device, long blocks, int span, int warps, boolean together) {
    long available = (long) device.sharedBytes() + RESERVED_BYTES;
    int resident = blocks > device.multiprocessors() ? Math.max(1, RESIDENT_WARPS / warps) : 1;
    for (; resident > 0; resident--) {
      for (int bits = MOST_COPY_BITS; bits >= 0; bits--) {
        long block = (long) sharedBytes(span, warps, together, bits) + RESERVED_BYTES;
        if (resident * block <= available) {
          return bits;
        }
      }
    }
    return 0;
  }
}
