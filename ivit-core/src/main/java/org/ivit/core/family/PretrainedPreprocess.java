package org.ivit.core.family;

import org.ivit.core.Size;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.image.Interpolation;
import org.ivit.core.image.Preprocess;

/** How the pictures were prepared that the weights of a timm name were trained on. */
public final class PretrainedPreprocess {
  /** timm evaluates these models at a crop of 0.9: 248 for 224. */
  private static final double CROP = 0.9;

  /** From this size on timm's models see the whole picture. */
  private static final int WHOLE = 384;

  /** Pictures up to this size are seen whole: nobody has larger ones of them. */
  private static final int SMALL = 64;

  private PretrainedPreprocess() {}

  /**
   * To what the shorter side of a picture is resized, where nothing says it: the picture size over
   * 0.9 rounded down (248 for 224), and the size itself from 384 on and up to 64.
   *
   * @param image size of the model's pictures
   */
  public static Size resize(Size image) {
    return new Size(resize(image.height()), resize(image.width()));
  }

  /** As {@link #resize(Size)}, of a side. */
  static int resize(int image) {
    return image <= SMALL || image >= WHOLE ? image : (int) Math.floor(image / CROP);
  }

  /**
   * Mean and deviation of pixels where nothing says them: by the timm name, or for an inline
   * description ImageNet's for a Swin and ½ for a ViT.
   *
   * @param architecture any
   * @param resize see {@link Preprocess}
   */
  public static Preprocess usual(Architecture architecture, Size resize) {
    boolean imagenet =
        registered(architecture)
            ? imagenetStatistics(architecture.name())
            : architecture.family().equals(Swin.KIND);
    return imagenet
        ? Preprocess.imagenet(resize, architecture.image())
        : Preprocess.half(resize, architecture.image());
  }

  /**
   * CLIP's mean and deviation of pixels, bicubic.
   *
   * @param resize see {@link Preprocess}
   * @param crop see {@link Preprocess}
   */
  public static Preprocess clip(int resize, int crop) {
    float[] mean = {0.48145467f, 0.4578275f, 0.40821072f};
    float[] std = {0.26862955f, 0.2613026f, 0.2757771f};
    return new Preprocess(resize, crop, Interpolation.BICUBIC, mean, std);
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
