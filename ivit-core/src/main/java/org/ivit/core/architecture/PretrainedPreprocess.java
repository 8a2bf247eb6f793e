package org.ivit.core.architecture;

import java.util.Optional;
import org.ivit.core.image.Preprocess;

/** How the pictures were prepared that the weights of a timm name were trained on. */
public final class PretrainedPreprocess {
  /** timm evaluates these models at a crop of 0.9: 248 for 224. */
  private static final double CROP = 0.9;

  private PretrainedPreprocess() {}

  /**
   * The evaluation transform of timm's default configuration: bicubic to the picture size over 0.9,
   * centre crop; mean and std ½ for the {@code augreg} ViTs, ImageNet's for DeiT and Swin. (The
   * DeiT repository itself resizes to 256.)
   *
   * @param architecture any
   * @return nothing for an architecture that is neither a registered one nor one for another
   *     picture size, whose weights could have been trained on anything; the number of classes does
   *     not matter
   */
  public static Optional<Preprocess> of(Architecture architecture) {
    if (!registered(architecture)) {
      return Optional.empty();
    }
    int image = architecture.image();
    int resize = (int) Math.floor(image / CROP);
    return Optional.of(
        imagenetStatistics(architecture.name())
            ? Preprocess.imagenet(resize, image)
            : Preprocess.half(resize, image));
  }

  /**
   * Whether weights of a timm name were trained with ImageNet's mean and deviation instead of ½.
   *
   * @param timmName a registered name
   */
  public static boolean imagenetStatistics(String timmName) {
    return !timmName.startsWith("vit_");
  }

  private static boolean registered(Architecture architecture) {
    return Architectures.names().stream()
        .map(Architectures::byName)
        .anyMatch(
            known ->
                Architectures.nameFor(known.name(), known.image(), architecture.image())
                    .equals(architecture.name()));
  }
}
