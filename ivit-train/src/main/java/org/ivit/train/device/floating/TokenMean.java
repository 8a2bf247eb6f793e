package org.ivit.train.device.floating;

import org.ivit.core.cuda.Divisor;
import org.ivit.core.cuda.Structure;
import org.ivit.train.device.pass.Pass;

/**
 * Means over tokens of the float network on the device.
 *
 * @param tokens of a picture
 * @param leading the first of them, which take no part
 * @param channels of a token
 */
record TokenMean(int tokens, int leading, int channels) {
  private static final class RealPoolArguments extends Structure {
    private final Field<Long> from = address();
    private final Field<Long> to = address();
    private final Field<Divisor> ofChannels = divisor();
    private final Field<Integer> pictures = int32();
    private final Field<Integer> tokens = int32();
    private final Field<Integer> leading = int32();
    private final Field<Integer> channels = int32();
  }

  /**
   * @param x address, [pictures][tokens][channels]
   * @param out receives [pictures][channels]
   */
  void forward(Pass pass, long x, int pictures, long out) {
    RealPoolArguments a = new RealPoolArguments();
    a.from.set(x);
    a.to.set(out);
    a.ofChannels.set(Divisor.of(channels));
    a.pictures.set(pictures);
    a.tokens.set(tokens);
    a.leading.set(leading);
    a.channels.set(channels);
    pass.each("pool_reals", (long) pictures * channels, 0, a);
  }

  /**
   * @param gy gradient by the means
   * @param gx receives that by the tokens
   */
  void backward(Pass pass, long gy, int pictures, long gx) {
    pass.spreadMean(gy, gx, pictures, tokens, leading, channels);
  }
}
