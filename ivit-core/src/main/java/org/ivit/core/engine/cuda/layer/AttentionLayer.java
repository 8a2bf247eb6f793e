package org.ivit.core.engine.cuda.layer;

import org.ivit.core.InputException;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Windows;
import org.ivit.core.cuda.Device;
import org.ivit.core.cuda.Divisor;
import org.ivit.core.cuda.Launch;
import org.ivit.core.graph.Attention;

/** An attention's constants on the device, and its launches. */
public final class AttentionLayer {
  private final Attention attention;
  private final Block site;
  private final AttentionGrid grid;
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
  public AttentionLayer(Constants constants, Attention attention, Block site) {
    this.attention = attention;
    this.site = site;
    this.grid = new AttentionGrid(site);
    grid.check(constants.device());
    context = new ChannelOrder(site.dim(), attention.contextOutliers());
    place = context.natural() ? 0 : constants.ints(context.places());
    int[] order = grid.columns(1);
    channels = Channels.of(order, order.length, null, attention.context(), false);
    records = constants.ints(channels.records());
    exponentials = constants.ints(attention.softmax().exponentials());
    windows =
        site.windows() == null
            ? WindowTables.NONE
            : WindowTables.of(constants, attention.position(), site.windows());
  }

  /** Returns how heads and queries lie. */
  public AttentionGrid grid() {
    return grid;
  }

  /** Returns bytes of a row of queries, keys and values. */
  public int inputStride() {
    return 3 * site.heads() * grid.paddedDim();
  }

  /** Returns the order of the context's channels. */
  public ChannelOrder context() {
    return context;
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
  public Launch launch(Device device, int groups, int queries, long qkv, long output) {
    String kernel = "attention_" + grid.kernel(attention.softmax(), device);
    AttentionArguments a = arguments(queries, qkv, output);
    return grid.launch(device, kernel, groups, queries, a, a);
  }

  private AttentionArguments arguments(int queries, long qkv, long output) {
    Windows w = site.windows();
    int count = w == null ? 1 : w.count();
    AttentionArguments a = new AttentionArguments();
    a.qkv.set(qkv);
    a.context.set(output);
    a.place.set(place);
    a.channels.set(records);
    a.exponentials.set(exponentials);
    a.scoreTerms.set(windows.scores());
    a.biases.set(windows.biases());
    a.masks.set(windows.masks());
    a.scores(attention.scores());
    a.windowDivisor.set(Divisor.of(count));
    a.windows.set(count);
    a.tokens.set(site.rowTokens());
    a.queries.set(queries);
    a.heads.set(site.heads());
    a.headDim.set(site.headDim());
    a.paddedDim.set(grid.paddedDim());
    a.contextStride.set(context.length());
    a.maskWords.set(windows.words());
    a.rounding.set(attention.softmax().rounding());
    a.wide.set(channels.wide() ? 1 : 0);
    return a;
  }
}
