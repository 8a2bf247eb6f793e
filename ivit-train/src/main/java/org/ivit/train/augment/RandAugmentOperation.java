package org.ivit.train.augment;

import org.ivit.core.image.Interpolation;
import org.ivit.core.image.Rgb;

/**
 * The operations that RandAugment draws from, with timm's strengths. A magnitude, 0 to 10 unless
 * the policy allows more, gives the strength; those that move a picture, and the increasing forms
 * of the enhancements, choose their direction at random.
 */
enum RandAugmentOperation {
  AUTO_CONTRAST,
  EQUALIZE,
  INVERT,
  ROTATE,
  POSTERIZE,
  SOLARIZE,
  SOLARIZE_ADD,
  COLOR,
  CONTRAST,
  BRIGHTNESS,
  SHARPNESS,
  SHEAR_X,
  SHEAR_Y,
  TRANSLATE_X,
  TRANSLATE_Y;

  private static final double LEVELS = 10;
  private static final double DEGREES = 30;
  private static final double SHEAR = 0.3;
  private static final double TRANSLATION = 0.45;

  /**
   * How an operation is applied.
   *
   * @param interpolation of operations that move pixels
   * @param fill colour of what comes from outside the picture
   * @param increasing whether a larger magnitude is always a stronger change; otherwise {@link
   *     #POSTERIZE}, {@link #SOLARIZE} and the enhancements are strongest at 0
   */
  record Setting(Interpolation interpolation, int[] fill, boolean increasing) {}

  /** Applies the operation; directions are drawn from {@code random}. */
  Rgb apply(Rgb picture, double magnitude, Setting setting, KeyedRandom random) {
    double level = magnitude / LEVELS;
    return switch (this) {
      case AUTO_CONTRAST -> ToneCurve.autoContrast(picture);
      case EQUALIZE -> ToneCurve.equalize(picture);
      case INVERT -> ToneCurve.invert(picture);
      case POSTERIZE -> {
        int bits = (int) (level * 4);
        yield ToneCurve.posterize(
            picture, setting.increasing() ? Math.max(0, 4 - bits) : Math.min(8, bits));
      }
      case SOLARIZE -> {
        int threshold = (int) (level * 256);
        yield ToneCurve.solarize(picture, setting.increasing() ? 256 - threshold : threshold);
      }
      case SOLARIZE_ADD -> ToneCurve.solarizeAdd(picture, (int) (level * 110));
      case COLOR -> Enhance.color(picture, factor(level, setting, random));
      case CONTRAST -> Enhance.contrast(picture, factor(level, setting, random));
      case BRIGHTNESS -> Enhance.brightness(picture, factor(level, setting, random));
      case SHARPNESS -> Enhance.sharpness(picture, factor(level, setting, random));
      default ->
          transform(picture, level, random).apply(picture, setting.interpolation(), setting.fill());
    };
  }

  private AffineTransform transform(Rgb picture, double level, KeyedRandom random) {
    return switch (this) {
      case ROTATE ->
          AffineTransform.rotate(
              eitherWay(level * DEGREES, random), picture.width(), picture.height());
      case SHEAR_X -> AffineTransform.shearX(eitherWay(level * SHEAR, random));
      case SHEAR_Y -> AffineTransform.shearY(eitherWay(level * SHEAR, random));
      case TRANSLATE_X ->
          AffineTransform.translate(eitherWay(level * TRANSLATION, random) * picture.width(), 0);
      case TRANSLATE_Y ->
          AffineTransform.translate(0, eitherWay(level * TRANSLATION, random) * picture.height());
      default -> throw new IllegalStateException(this + " moves nothing");
    };
  }

  private static float factor(double level, Setting setting, KeyedRandom random) {
    return (float)
        (setting.increasing()
            ? Math.max(0.1, 1 + eitherWay(level * 0.9, random))
            : level * 1.8 + 0.1);
  }

  private static double eitherWay(double value, KeyedRandom random) {
    return random.chance(0.5) ? value : -value;
  }
}
