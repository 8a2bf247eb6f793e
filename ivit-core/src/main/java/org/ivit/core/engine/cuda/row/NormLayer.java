package org.ivit.core.engine.cuda.row;

import org.ivit.core.InputException;
import org.ivit.core.cuda.Divisor;
import org.ivit.core.cuda.Launch;
import org.ivit.core.cuda.Structure;
import org.ivit.core.engine.cuda.layer.ChannelOrder;
import org.ivit.core.engine.cuda.layer.Constants;
import org.ivit.core.engine.cuda.layer.RowMap;
import org.ivit.core.graph.LayerNorm;

/** An I-LayerNorm's constants on the device, and its launches. */
public final class NormLayer {
  private static final int WARPS = 4;

  /** More could pass the dividend of the mean, which has 31 bits. */
  private static final int MOST_CHANNELS = 1 << 14;

  private final LayerNorm norm;
  private final int outputStride;
  private final long source;
  private final long multiplier;
  private final long offset;

  /** What the kernels {@code layer_norm*} take. */
  public static final class NormArguments extends Structure {
    private final Field<Long> codes = address();
    private final Field<Long> stream = address();
    private final Field<Long> source = address();
    private final Field<Long> multiplier = address();
    private final Field<Long> offset = address();
    private final Field<Long> codesOut = address();
    private final Field<Long> streamOut = address();
    private final Field<RowMap> map = structure(RowMap.same(1).fields(), RowMap::fields);
    private final Field<Long> epsilon = int64();
    private final Field<Divisor> twiceChannels = divisor();
    private final Field<Integer> rows = int32();
    private final Field<Integer> channels = int32();
    private final Field<Integer> inputStride = int32();
    private final Field<Integer> outputStride = int32();
    private final Field<Integer> shift = int32();
    private final Field<Integer> unused = unused();
  }

  /**
   * @param constants receives the constants
   * @param norm node
   * @param order of the output channels
   * @param elements place of each channel in memory from the row's first token on, or null for
   *     channels that lie side by side
   * @throws InputException if there are too many channels
   */
  public NormLayer(Constants constants, LayerNorm norm, ChannelOrder order, int[] elements) {
    if (norm.channels() > MOST_CHANNELS) {
      throw new InputException(
          "engine cuda: %s: %d channels, expected at most %d"
              .formatted(norm.name(), norm.channels(), MOST_CHANNELS));
    }
    this.norm = norm;
    int[] channels = order.source();
    this.outputStride = channels.length;
    int[] m = new int[channels.length];
    long[] b = new long[channels.length];
    int[] from = new int[channels.length];
    int e = norm.constants().shift();
    for (int i = 0; i < channels.length; i++) {
      int c = channels[i];
      m[i] = c < 0 ? 0 : norm.constants().multiplier()[c];
      b[i] = c < 0 ? 0 : norm.constants().offset()[c] + (1L << (e - 1));
      from[i] = c < 0 || elements == null ? c : elements[c];
    }
    source = order.natural() && elements == null ? 0 : constants.ints(from);
    multiplier = constants.ints(m);
    offset = constants.longs(b);
  }

  /** Returns codes from one row of the output to the next. */
  public int outputStride() {
    return outputStride;
  }

  /**
   * From the stream to 8-bit codes.
   *
   * @param rows number of rows
   * @param map tokens of the rows
   * @param stream address of the tokens
   * @param stride codes of a token
   * @param output address of codes, {@link #outputStride} a row
   */
  public Launch codes(int rows, RowMap map, long stream, int stride, long output) {
    NormArguments a = new NormArguments();
    a.codes.set(0L);
    a.stream.set(stream);
    a.codesOut.set(output);
    a.streamOut.set(0L);
    a.map.set(map);
    a.inputStride.set(stride);
    a.outputStride.set(outputStride);
    return launch("layer_norm", rows, a);
  }

  /**
   * The stream in place.
   *
   * @param rows number of rows
   * @param map tokens of the rows
   * @param stream address of the tokens
   * @param stride codes of a token
   */
  public Launch stream(int rows, RowMap map, long stream, int stride) {
    NormArguments a = new NormArguments();
    a.codes.set(0L);
    a.stream.set(stream);
    a.codesOut.set(0L);
    a.streamOut.set(stream);
    a.map.set(map);
    a.inputStride.set(stride);
    a.outputStride.set(stride);
    return launch("layer_norm_stream", rows, a);
  }

  /**
   * From 8-bit codes to the stream.
   *
   * @param rows number of rows
   * @param codes address of the codes
   * @param stride codes of a row of them
   * @param stream address of the tokens
   * @param streamStride codes of a token
   */
  public Launch patches(int rows, long codes, int stride, long stream, int streamStride) {
    NormArguments a = new NormArguments();
    a.codes.set(codes);
    a.stream.set(0L);
    a.codesOut.set(0L);
    a.streamOut.set(stream);
    a.map.set(RowMap.same(1));
    a.inputStride.set(stride);
    a.outputStride.set(streamStride);
    return launch("layer_norm_patches", rows, a);
  }

  private Launch launch(String kernel, int rows, NormArguments a) {
    a.source.set(source);
    a.multiplier.set(multiplier);
    a.offset.set(offset);
    a.epsilon.set(norm.constants().epsilon());
    a.twiceChannels.set(Divisor.of(2 * norm.channels()));
    a.rows.set(rows);
    a.channels.set(norm.channels());
    a.shift.set(norm.constants().shift());
    return new Launch(kernel, (rows + WARPS - 1) / WARPS, 1, 1, WARPS * 32, 0, a.bytes());
  }
}
