package org.ivit.core.graph;

import java.util.List;
import java.util.stream.IntStream;
import org.ivit.core.arithmetic.Quantizer;

/**
 * Leading tokens, patches and position embedding joined, §1 and §9: the class token comes first,
 * then the distillation token if there is one, then the patches in row-major order; the positions
 * are added as an identity is.
 *
 * @param leading codes of the leading tokens on the scale of {@code patch_embed},
 *     [tokens][channels]
 * @param position 16-bit codes, [tokens][channels]
 * @param positionScale value of one position code step
 * @param sum multipliers of patches and positions
 */
public record Embed(int[] leading, short[] position, float positionScale, Residual sum) {

  /**
   * @param names of the leading tokens, for messages
   * @param leading their parameters, [channels] each
   * @param position parameter {@code pos_embed}, [tokens][channels]
   * @param patchScale scale of {@code patch_embed}
   * @param outputScale scale of {@code embed}
   * @return the node
   */
  public static Embed of(
      List<String> names,
      List<float[]> leading,
      float[] position,
      float patchScale,
      float outputScale) {
    int[] codes = new int[0];
    for (int i = 0; i < names.size(); i++) {
      codes =
          IntStream.concat(
                  IntStream.of(codes),
                  IntStream.of(Quantizer.tokenCodes(names.get(i), leading.get(i), patchScale)))
              .toArray();
    }
    float positionScale = Quantizer.scaleOf("pos_embed", position, 16);
    return new Embed(
        codes,
        Quantizer.codes16("pos_embed", position, positionScale),
        positionScale,
        Residual.of(NodeNames.EMBED, patchScale, positionScale, outputScale));
  }
}
