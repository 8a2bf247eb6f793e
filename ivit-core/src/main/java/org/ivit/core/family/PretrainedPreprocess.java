package org.ivit.core.family;

import org.ivit.core.Size;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.image.CropMode;
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
   * The transform where nothing says it: that which weights of the timm name are evaluated with, or
   * for an inline description {@link #resize}, and ImageNet's mean and deviation for a Swin, ½ for
   * a ViT. A model for larger pictures than its name's sees them whole from 384 on.
   *
   * @param architecture any
   */
  public static Preprocess usual(Architecture architecture) {
    Size image = architecture.image();
    RegisteredModel model = registered(architecture);
    Size resize =
        model == null
            ? resize(image)
            : new Size(resize(model, image.height()), resize(model, image.width()));
    return usual(architecture, resize);
  }

  private static int resize(RegisteredModel model, int side) {
    boolean own = Size.read(model.description().get("image")).longer() == side;
    boolean whole = side <= SMALL || (side >= WHOLE && !own);
    return whole ? side : (int) Math.floor(side / model.crop());
  }

  /**
   * Mean and deviation of pixels where nothing says them: see {@link #usual(Architecture)}.
   *
   * @param architecture any
   * @param resize see {@link Preprocess}
   */
  public static Preprocess usual(Architecture architecture, Size resize) {
    RegisteredModel model = registered(architecture);
    RegisteredModel.Pixels unnamed =
        architecture.family().equals(Swin.KIND)
            ? RegisteredModel.Pixels.IMAGENET
            : RegisteredModel.Pixels.HALF;
    return model == null
        ? unnamed.transform(resize, architecture.image())
        : model.pixels().transform(resize, architecture.image()).withCropMode(model.mode());
  }

  /**
   * CLIP's mean and deviation of pixels, bicubic.
   *
   * @param resize see {@link Preprocess}
   * @param crop see {@link Preprocess}
   */
  public static Preprocess clip(int resize, int crop) {
    return clip(Size.of(resize), Size.of(crop));
  }

  /** As {@link #clip(int, int)}, for pictures of any shape. */
  static Preprocess clip(Size resize, Size crop) {
    float[] mean = {0.48145467f, 0.4578275f, 0.40821072f};
    float[] std = {0.26862955f, 0.2613026f, 0.2757771f};
    return new Preprocess(resize, crop, Interpolation.BICUBIC, CropMode.CENTER, mean, std);
  }

  /** By its name, which may say another picture size; null where it is not registered. */
  private static RegisteredModel registered(Architecture architecture) {
    RegisteredModel named = RegisteredModel.all().get(architecture.name());
    if (named != null) {
      return named;
    }
    for (RegisteredModel model : RegisteredModel.all().values()) {
      Size image = Size.read(model.description().get("image"));
      String name = model.description().path("name").textValue();
      if (Architectures.nameFor(name, image, architecture.image()).equals(architecture.name())) {
        return model;
      }
    }
    return null;
  }
}
