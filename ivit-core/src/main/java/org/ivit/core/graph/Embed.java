package org.ivit.core.graph;

import org.ivit.core.InputException;
import org.ivit.core.arithmetic.Quantizer;

/**
 * Class token, patches and position embedding joined, §1 and §9: token 0 is the class token, then
 * the patches in row-major order; the positions are added as an identity is.
 *
 * @param classToken codes on the scale of {@code patch_embed}, [channels]
 * @param position 16-bit codes, [tokens][channels]
 * @param positionScale value of one position code step
 * @param sum multipliers of patches and positions
 */
public record Embed(int[] classToken, short[] position, float positionScale, Residual sum) {

  /** Checks that the positions are whole rows of the class token's width. */
  public Embed {
    if (classToken.length == 0 || position.length % classToken.length != 0) {
      throw new InputException(
          "embed: found "
              + position.length
              + " position codes, expected a multiple of "
              + classToken.length
              + " channels");
    }
  }

  /**
   * @param classToken parameter {@code cls_token}, [channels]
   * @param position parameter {@code pos_embed}, [tokens][channels]
   * @param patchScale scale of {@code patch_embed}
   * @param outputScale scale of {@code embed}
   * @return the node
   */
  public static Embed of(
      float[] classToken, float[] position, float patchScale, float outputScale) {
    float positionScale = Quantizer.scaleOf("pos_embed", position, 16);
    return new Embed(
        Quantizer.tokenCodes("cls_token", classToken, patchScale),
        Quantizer.codes16("pos_embed", position, positionScale),
        positionScale,
        Residual.of(NodeNames.EMBED, patchScale, positionScale, outputScale));
  }
}
