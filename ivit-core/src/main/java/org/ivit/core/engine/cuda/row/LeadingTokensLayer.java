package org.ivit.core.engine.cuda.row;

import org.ivit.core.cuda.Launch;
import org.ivit.core.cuda.Structure;
import org.ivit.core.engine.cuda.layer.Constants;
import org.ivit.core.engine.cuda.layer.StreamLayout;

/** Puts the leading tokens before the patches of each picture. */
public final class LeadingTokensLayer {
  private final long constants;
  private final int length;

  private static final class LeadingArguments extends Structure {
    private final Field<Long> constants = address();
    private final Field<Long> stream = address();
    private final Field<Long> pictureStride = int64();
    private final Field<Integer> length = int32();
    private final Field<Integer> unused = unused();
  }

  /**
   * @param constants receives the tokens
   * @param tokens codes, [tokens][dim]
   * @param dim channels
   */
  public LeadingTokensLayer(Constants constants, short[] tokens, int dim) {
    this.constants = constants.shorts(StreamLayout.padded(tokens, dim));
    this.length = tokens.length / dim * StreamLayout.stride(dim);
  }

  /**
   * @param pictures number of pictures
   * @param stream address of their tokens
   * @param pictureStride codes from one picture to the next
   */
  public Launch launch(int pictures, long stream, long pictureStride) {
    LeadingArguments a = new LeadingArguments();
    a.constants.set(constants);
    a.stream.set(stream);
    a.pictureStride.set(pictureStride);
    a.length.set(length);
    return new Launch("leading_tokens", pictures, 1, 1, 128, 0, a.bytes());
  }
}
