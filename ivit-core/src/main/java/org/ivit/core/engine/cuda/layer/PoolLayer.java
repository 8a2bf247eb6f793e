package org.ivit.core.engine.cuda.layer;

import org.ivit.core.arithmetic.Dyadic;
import org.ivit.core.cuda.Launch;
import org.ivit.core.cuda.Structure;

/**
 * Means over the tokens of each picture.
 *
 * @param multiplier of a sum
 * @param tokens of a picture
 * @param channels of a token
 * @param inputStride codes from one token to the next
 * @param outputStride codes from one mean to the next
 */
public record PoolLayer(
    Dyadic multiplier, int tokens, int channels, int inputStride, int outputStride) {
  private static final class PoolArguments extends Structure {
    private final Field<Long> codes = address();
    private final Field<Long> means = address();
    private final Field<Dyadic> multiplier = dyadic();
    private final Field<Integer> tokens = int32();
    private final Field<Integer> channels = int32();
    private final Field<Integer> inputStride = int32();
    private final Field<Integer> outputStride = int32();
  }

  /**
   * @param pictures number of pictures
   * @param codes address, {@link #inputStride} a token
   * @param means address, {@link #outputStride} a picture
   */
  public Launch launch(int pictures, long codes, long means) {
    PoolArguments a = new PoolArguments();
    a.codes.set(codes);
    a.means.set(means);
    a.multiplier.set(multiplier);
    a.tokens.set(tokens);
    a.channels.set(channels);
    a.inputStride.set(inputStride);
    a.outputStride.set(outputStride);
    return new Launch("pool_tokens", (channels + 127) / 128, pictures, 1, 128, 0, a.bytes());
  }
}
