package org.ivit.core.engine.cuda.row;

import org.ivit.core.arithmetic.Dyadic;
import org.ivit.core.cuda.Launch;
import org.ivit.core.cuda.Structure;

/**
 * Sums and means over tokens of each picture.
 *
 * @param tokens that are summed, side by side
 * @param channels of a token
 * @param stride codes from one token to the next
 * @param pictureStride codes from one picture's tokens to the next one's
 */
public record PoolLayer(int tokens, int channels, int stride, int pictureStride) {
  private static final int THREADS = 128;

  private static final Dyadic ONE = new Dyadic(1 << 30, 30);

  private static final class PoolArguments extends Structure {
    private final Field<Long> codes = address();
    private final Field<Long> stream = address();
    private final Field<Long> codesOut = address();
    private final Field<Long> streamOut = address();
    private final Field<Long> sums = address();
    private final Field<Dyadic> multiplier = dyadic();
    private final Field<Long> pictureStride = int64();
    private final Field<Integer> tokens = int32();
    private final Field<Integer> channels = int32();
    private final Field<Integer> inputStride = int32();
    private final Field<Integer> outputStride = int32();
  }

  /**
   * Means of 8-bit codes.
   *
   * @param multiplier of a sum
   * @param pictures number of pictures
   * @param codes address of the first token that is summed
   * @param means address of codes
   * @param meanStride codes from one mean to the next
   */
  public Launch means(Dyadic multiplier, int pictures, long codes, long means, int meanStride) {
    PoolArguments a = new PoolArguments();
    a.codes.set(codes);
    a.stream.set(0L);
    a.codesOut.set(means);
    a.streamOut.set(0L);
    a.sums.set(0L);
    a.multiplier.set(multiplier);
    a.outputStride.set(meanStride);
    return launch("pool_tokens", pictures, a);
  }

  /**
   * Means of 16-bit codes, each in the place of its picture's first token.
   *
   * @param multiplier of a sum
   * @param pictures number of pictures
   * @param stream address of the first token that is summed
   * @param means address of the first token
   */
  public Launch streamMeans(Dyadic multiplier, int pictures, long stream, long means) {
    PoolArguments a = new PoolArguments();
    a.codes.set(0L);
    a.stream.set(stream);
    a.codesOut.set(0L);
    a.streamOut.set(means);
    a.sums.set(0L);
    a.multiplier.set(multiplier);
    a.outputStride.set(pictureStride);
    return launch("pool_stream", pictures, a);
  }

  /**
   * Sums of 8-bit codes.
   *
   * @param pictures number of pictures
   * @param codes address of the first token that is summed
   * @param sums address of 32-bit integers, [pictures][channels]
   */
  public Launch sums(int pictures, long codes, long sums) {
    PoolArguments a = new PoolArguments();
    a.codes.set(codes);
    a.stream.set(0L);
    return sums("sum_tokens", pictures, a, sums);
  }

  /** As {@link #sums}, of 16-bit codes. */
  public Launch streamSums(int pictures, long stream, long sums) {
    PoolArguments a = new PoolArguments();
    a.codes.set(0L);
    a.stream.set(stream);
    return sums("sum_stream", pictures, a, sums);
  }

  private Launch sums(String kernel, int pictures, PoolArguments a, long sums) {
    a.codesOut.set(0L);
    a.streamOut.set(0L);
    a.sums.set(sums);
    a.multiplier.set(ONE);
    a.outputStride.set(channels);
    return launch(kernel, pictures, a);
  }

  private Launch launch(String kernel, int pictures, PoolArguments a) {
    a.pictureStride.set((long) pictureStride);
    a.tokens.set(tokens);
    a.channels.set(channels);
    a.inputStride.set(stride);
    return new Launch(
        kernel, (channels + THREADS - 1) / THREADS, pictures, 1, THREADS, 0, a.bytes());
  }
}
