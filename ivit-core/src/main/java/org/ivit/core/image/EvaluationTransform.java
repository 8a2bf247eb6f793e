package org.ivit.core.image;

/**
 * The transform of evaluation as torchvision does it on Pillow pictures: {@code Resize} of the
 * shorter side or of both, {@code CenterCrop}, and the normalisation of {@code ToTensor} and {@code
 * Normalize}.
 */
public final class EvaluationTransform {
  private final Preprocess preprocess;
  private final Normalisation normalisation;

  /** The transform a model asks for. */
  public EvaluationTransform(Preprocess preprocess) {
    this.preprocess = preprocess;
    this.normalisation = new Normalisation(preprocess);
  }

  /** What it was made from. */
  public Preprocess preprocess() {
    return preprocess;
  }

  /** The picture that a model sees: crop × crop. */
  public Rgb apply(Rgb picture) {
    return centerCrop(resized(picture), preprocess.crop());
  }

  private Rgb resized(Rgb picture) {
    int size = preprocess.resize();
    return switch (preprocess.cropMode()) {
      case CENTER -> resizeShortSide(picture, size, preprocess.interpolation());
      case SQUASH ->
          picture.width() == size && picture.height() == size
              ? picture
              : Resample.resize(picture, size, size, preprocess.interpolation());
    };
  }

  /** The same, normalised: [3][crop][crop] float32. */
  public float[] normalised(Rgb picture) {
    return normalisation.apply(apply(picture));
  }

  /**
   * torchvision's {@code Resize(size)}: the shorter side becomes {@code size}, the longer one
   * {@code int(size · long / short)}; a picture whose shorter side has that size already stays as
   * it is.
   */
  public static Rgb resizeShortSide(Rgb picture, int size, Interpolation interpolation) {
    int width = picture.width();
    int height = picture.height();
    int shorter = Math.min(width, height);
    if (shorter == size) {
      return picture;
    }
    int longer = (int) ((double) ((long) size * Math.max(width, height)) / shorter);
    return width <= height
        ? Resample.resize(picture, size, longer, interpolation)
        : Resample.resize(picture, longer, size, interpolation);
  }

  /**
   * torchvision's {@code CenterCrop(size)}: a smaller side is padded with zeros, the odd pixel
   * right and below; offsets round half to even.
   */
  public static Rgb centerCrop(Rgb picture, int size) {
    Rgb padded = pad(picture, Math.max(size, picture.width()), Math.max(size, picture.height()));
    int left = (int) Math.rint((padded.width() - size) / 2.0);
    int top = (int) Math.rint((padded.height() - size) / 2.0);
    return padded.crop(left, top, size, size);
  }

  private static Rgb pad(Rgb picture, int width, int height) {
    if (width == picture.width() && height == picture.height()) {
      return picture;
    }
    int left = (width - picture.width()) / 2;
    int top = (height - picture.height()) / 2;
    byte[] out = new byte[3 * width * height];
    int row = picture.width() * 3;
    for (int y = 0; y < picture.height(); y++) {
      System.arraycopy(picture.data(), y * row, out, ((top + y) * width + left) * 3, row);
    }
    return new Rgb(width, height, out);
  }
}
