package org.ivit.core.graph;

import java.util.stream.IntStream;
import org.ivit.core.architecture.Stem;
import org.ivit.core.architecture.Stem.LeadingToken;
import org.ivit.core.arithmetic.Quantizer;

/**
 * Leading tokens, patches and position embedding joined ({@code docs/arithmetic.md#nodes}): the
 * leading tokens come first, then the patches in row-major order; the positions are added as an
 * identity is.
 *
 * @param leading codes of the leading tokens on the scale of {@code patch_embed},
 *     [tokens][channels]
 * @param position 16-bit codes, [tokens][channels]; 0 for tokens without a position
 * @param positionScale value of one position code step
 * @param sum multipliers of patches and positions
 */
public record Embed(int[] leading, short[] position, float positionScale, Residual sum) {

  /**
   * @param stem sizes
   * @param weights parameters by timm name
   * @param patchScale scale of the product over patches
   * @param outputScale scale of the sum
   * @return the node
   */
  public static Embed of(Stem stem, FloatWeights weights, float patchScale, float outputScale) {
    int[] codes =
        stem.leading().stream()
            .map(LeadingToken::name)
            .flatMapToInt(
                name -> IntStream.of(Quantizer.tokenCodes(name, weights.get(name), patchScale)))
            .toArray();
    float[] position = positions(stem, weights);
    float positionScale = Quantizer.scaleOf(Stem.POSITION, position, 16);
    return new Embed(
        codes,
        Quantizer.codes16(Stem.POSITION, position, positionScale),
        positionScale,
        Residual.of(stem.output().name(), patchScale, positionScale, outputScale));
  }

  /** Positions of all tokens, 0 for those that have none. */
  private static float[] positions(Stem stem, FloatWeights weights) {
    float[] all = new float[stem.outputTokens() * stem.dim()];
    int length = stem.positionRows() * stem.dim();
    if (length > 0) {
      System.arraycopy(weights.get(Stem.POSITION), 0, all, all.length - length, length);
    }
    return all;
  }

  /**
   * The leading tokens with their positions, which are the same in every picture.
   *
   * @return 16-bit codes, [leading tokens][channels]
   */
  public short[] constants() {
    short[] constants = new short[leading.length];
    for (int i = 0; i < constants.length; i++) {
      constants[i] = sum.add(leading[i], position[i]);
    }
    return constants;
  }
}
