package org.ivit.core.engine.cuda.layer;

import org.ivit.core.InputException;
import org.ivit.core.architecture.AttentionPooling;
import org.ivit.core.cuda.Device;
import org.ivit.core.cuda.Launch;
import org.ivit.core.graph.QueryAttention;

/** The constants of an attention of one query on the device, and its launches. */
public final class QueryAttentionLayer {
  private static final int THREADS = 128;

  /** Two words a warp. */
  private static final int REDUCTION_BYTES = 2 * 4 * (THREADS / 32);

  private final QueryAttention attention;
  private final AttentionPooling site;
  private final ChannelOrder context;
  private final long place;
  private final Channels channels;
  private final long records;
  private final long exponentials;

  /**
   * @param constants receives the constants
   * @param attention node
   * @param site sizes
   * @throws InputException if its probabilities do not fit the device's shared memory
   */
  public QueryAttentionLayer(Constants constants, QueryAttention attention, AttentionPooling site) {
    this.attention = attention;
    this.site = site;
    Device device = constants.device();
    if (sharedBytes() > device.sharedBytes()) {
      throw new InputException(
          "engine cuda: %s: %d tokens need %d bytes of shared memory, %s has %d"
              .formatted(
                  site.softmax(),
                  site.tokens(),
                  sharedBytes(),
                  device.name(),
                  device.sharedBytes()));
    }
    context = new ChannelOrder(site.dim(), attention.contextOutliers());
    place = context.natural() ? 0 : constants.ints(context.places());
    int[] order = LinearLayer.inOrder(site.dim());
    channels = Channels.of(order, order.length, null, attention.context(), false);
    records = constants.ints(channels.records());
    exponentials = constants.ints(attention.softmax().exponentials());
  }

  /** A warp's words, then a probability of 16 bits a token. */
  private int sharedBytes() {
    return REDUCTION_BYTES + 2 * site.tokens();
  }

  /** Returns the order of the context's channels. */
  public ChannelOrder context() {
    return context;
  }

  /**
   * Contexts of pictures.
   *
   * @param pictures number of pictures
   * @param scores address of codes, a head a column
   * @param scoreStride codes from one token to the next
   * @param values address of codes
   * @param valueStride codes from one token to the next
   * @param output address of codes, {@link #context} a picture
   */
  public Launch launch(
      int pictures, long scores, int scoreStride, long values, int valueStride, long output) {
    QueryAttentionArguments a = new QueryAttentionArguments();
    a.scores.set(scores);
    a.values.set(values);
    a.context.set(output);
    a.place.set(place);
    a.channels.set(records);
    a.exponentials.set(exponentials);
    a.tokens.set(site.tokens());
    a.headDim.set(site.headDim());
    a.scoreStride.set(scoreStride);
    a.valueStride.set(valueStride);
    a.contextStride.set(context.length());
    a.rounding.set(attention.softmax().rounding());
    a.bits.set(attention.softmax().bits());
    a.deferred.set(attention.softmax().deferred() ? 1 : 0);
    a.wide.set(channels.wide() ? 1 : 0);
    return new Launch(
        "query_attention", site.heads(), pictures, 1, THREADS, sharedBytes(), a.bytes());
  }
}
