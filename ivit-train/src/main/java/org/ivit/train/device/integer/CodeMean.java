package org.ivit.train.device.integer;

import org.ivit.core.arithmetic.Dyadic;
import org.ivit.core.arithmetic.Pooling;
import org.ivit.core.cuda.Divisor;
import org.ivit.core.cuda.Structure;
import org.ivit.core.graph.Pool;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.operator.SeenRanges;

/** Means of codes over tokens on the device. */
final class CodeMean {
  private final String name;
  private final int tokens;
  private final int leading;
  private final int channels;
  private Dyadic multiplier;
  private float sumScale;
  private int extremes;

  private static final class ObservedPoolArguments extends Structure {
    private final Field<Long> from = address();
    private final Field<Long> to = address();
    private final Field<Long> extremes = address();
    private final Field<Dyadic> multiplier = dyadic();
    private final Field<Divisor> ofChannels = divisor();
    private final Field<Integer> pictures = int32();
    private final Field<Integer> tokens = int32();
    private final Field<Integer> leading = int32();
    private final Field<Integer> channels = int32();
  }

  /**
   * @param name full node name
   * @param tokens of a picture
   * @param leading the first of them, which take no part
   * @param channels of a token
   */
  CodeMean(String name, int tokens, int leading, int channels) {
    this.name = name;
    this.tokens = tokens;
    this.leading = leading;
    this.channels = channels;
  }

  /**
   * Takes the node of this step.
   *
   * @param scale of the input codes
   */
  void prepare(Pass pass, Pool pool, float scale) {
    multiplier = pool.multiplier();
    sumScale = Pooling.sumScale(scale, pool.tokens());
    extremes = pass.extremes();
  }

  /**
   * 8-bit codes to as many bits.
   *
   * @param x address of codes, [pictures][tokens][channels]
   * @param out receives codes, [pictures][channels]
   */
  void forward8(Pass pass, long x, int pictures, long out) {
    forward(pass, "pool_observed_8", x, pictures, out);
  }

  /** 16-bit codes to as many bits, as {@link #forward8}. */
  void forward16(Pass pass, long x, int pictures, long out) {
    forward(pass, "pool_observed_16", x, pictures, out);
  }

  private void forward(Pass pass, String kernel, long x, int pictures, long out) {
    launch(pass, kernel, x, pictures, out, pass.observed(extremes), multiplier);
  }

  /**
   * Sums of 8-bit codes, which are an answer; nothing is observed.
   *
   * @param out receives int32, [pictures][channels]
   */
  void sums(Pass pass, long x, int pictures, long out) {
    launch(pass, "pool_sums", x, pictures, out, 0, new Dyadic(0, 1));
  }

  private void launch(
      Pass pass, String kernel, long x, int pictures, long out, long seen, Dyadic by) {
    ObservedPoolArguments a = new ObservedPoolArguments();
    a.from.set(x);
    a.to.set(out);
    a.extremes.set(seen);
    a.multiplier.set(by);
    a.ofChannels.set(Divisor.of(channels));
    a.pictures.set(pictures);
    a.tokens.set(tokens);
    a.leading.set(leading);
    a.channels.set(channels);
    pass.each(kernel, (long) pictures * channels, Pass.EXTREMES_BYTES, a);
  }

  /**
   * @param gy gradient by the means
   * @param gx receives that by the tokens
   */
  void backward(Pass pass, long gy, int pictures, long gx) {
    pass.spreadMean(gy, gx, pictures, tokens, leading, channels);
  }

  /** Takes what the step observed. */
  void seen(Pass pass, SeenRanges seen) {
    pass.include(seen, name, extremes, sumScale);
  }
}
