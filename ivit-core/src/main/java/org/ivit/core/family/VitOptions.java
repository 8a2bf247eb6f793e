package org.ivit.core.family;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Locale;
import org.ivit.core.Size;
import org.ivit.core.architecture.MlpForm;
import org.ivit.core.architecture.Positions;
import org.ivit.core.architecture.Rotary;
import org.ivit.core.arithmetic.Activation;

/**
 * In what a ViT differs from the first ones.
 *
 * @param classToken whether there is a class token
 * @param distilled whether there are a distillation token and its head
 * @param registers number of register tokens, 0 or more
 * @param positions which tokens have a learned position
 * @param relativePositions whether attention has BEiT's relative position bias
 * @param rotary rotary positions; null for none
 * @param preNorm whether a norm comes before the blocks, as in CLIP
 * @param activation of plain MLPs
 * @param mlp what the MLPs are
 * @param pool how tokens become one
 * @param fcNorm whether the last norm comes after the mean over tokens
 * @param projection whether the head is a projection, whose output is a feature
 */
public record VitOptions(
    boolean classToken,
    boolean distilled,
    int registers,
    Positions positions,
    boolean relativePositions,
    RotaryOption rotary,
    boolean preNorm,
    Activation activation,
    MlpForm mlp,
    Pool pool,
    boolean fcNorm,
    boolean projection) {
  /** A ViT with a class token, at positions of their own all tokens. */
  public static final VitOptions PLAIN = leading(false, 0);

  /**
   * Rotary positions.
   *
   * @param kind which angles and pairs
   * @param reference the grid of pretraining; null for that of the picture
   */
  public record RotaryOption(Rotary.Kind kind, Size reference) {}

  /** How tokens become one. */
  public enum Pool {
    /** The first token. */
    TOKEN,
    /** The mean over the patches. */
    AVG,
    /** The first token beside the mean over the patches, as the published DINOv2 classifiers. */
    TOKEN_AVG,
    /** SigLIP's attention of a learned query. */
    MAP;

    /** The name in descriptions, timm's {@code global_pool}. */
    @JsonValue
    public String key() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * A ViT or DeiT with more tokens before the patches, at positions of their own.
   *
   * @param distilled whether there are a distillation token and its head
   * @param registers number of register tokens
   */
  public static VitOptions leading(boolean distilled, int registers) {
    return new VitOptions(
        true,
        distilled,
        registers,
        Positions.ALL,
        false,
        null,
        false,
        Activation.GELU,
        MlpForm.PLAIN,
        Pool.TOKEN,
        false,
        false);
  }

  /** Tokens before the patches. */
  int leadingTokens() {
    return (classToken ? 1 : 0) + (distilled ? 1 : 0) + registers;
  }
}
