package org.ivit.core.architecture;

import java.util.Optional;
import org.ivit.core.image.Preprocess;

/** How the pictures were prepared that the weights of a timm name were trained on. */
public final class PretrainedPreprocess {
  /** timm evaluates these models at a crop of 0.9: floor(224 / 0.9). */
  private static final int RESIZE = 248;

  private static final int CROP = 224;

  private PretrainedPreprocess() {}

  /**
   * The evaluation transform of timm's default configuration: bicubic to 248, centre crop 224; mean
   * and std ½ for the {@code augreg} ViTs, ImageNet's for DeiT and Swin. (The DeiT repository
   * itself resizes to 256.)
   *
   * @param architecture any
   * @return nothing for an architecture that is not a registered one, whose weights could have been
   *     trained on anything; the number of classes does not matter
   */
  public static Optional<Preprocess> of(Architecture architecture) {
    String name = architecture.name();
    if (!Architectures.names().contains(name) || architecture.image() != CROP) {
      return Optional.empty();
    }
    return Optional.of(
        !name.startsWith("vit_")
            ? Preprocess.imagenet(RESIZE, CROP)
            : Preprocess.half(RESIZE, CROP));
  }
}
