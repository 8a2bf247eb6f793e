package org.ivit.core.image;

import org.ivit.core.Size;

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

  /** The picture that a model sees, of the size of the crop. */
  public Rgb apply(Rgb picture) {
    Size size = preprocess.resize();
    return switch (preprocess.cropMode()) {
      case CENTER -> covering(picture, size);
      case SQUASH -> center(picture, size.width(), size.height());
    };
  }

  /** One side becomes that of the size, the other one is no smaller than it should be. */
  private Rgb covering(Rgb picture, Size size) {
    long height = picture.height();
    long width = picture.width();
    return width * size.height() <= height * size.width()
        ? center(picture, size.width(), scaled(height, size.width(), width))
        : center(picture, scaled(width, size.height(), height), size.height());
  }

  private static long scaled(long side, long by, long over) {
    return (long) ((double) (side * by) / over);
  }

  /**
   * The centre of the picture resized to {@code width} × {@code height}, which may be far more than
   * is cut from it: of a very long picture only that part is computed.
   */
  private Rgb center(Rgb picture, long width, long height) {
    Size crop = preprocess.crop();
    Rgb part =
        Resample.resizePart(
            picture,
            width,
            height,
            preprocess.interpolation(),
            offset(width, crop.width()),
            offset(height, crop.height()),
            (int) Math.min(width, crop.width()),
            (int) Math.min(height, crop.height()));
    return centerCrop(part, crop);
  }

  /** The same, normalised: [3][height][width] float32. */
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
    if (Math.min(width, height) == size) {
      return picture;
    }
    return Resample.resize(
        picture,
        Math.toIntExact(resizedSide(width, height, size)),
        Math.toIntExact(resizedSide(height, width, size)),
        interpolation);
  }

  /** What {@code side} becomes where the shorter of it and {@code other} becomes {@code size}. */
  private static long resizedSide(int side, int other, int size) {
    return side <= other ? size : (long) ((double) ((long) size * side) / other);
  }

  /** Where a crop begins in a side that is longer; 0 in others. */
  private static long offset(long side, int crop) {
    return (long) Math.rint(Math.max(0, side - crop) / 2.0);
  }

  /**
   * torchvision's {@code CenterCrop(size)}: a smaller side is padded with zeros, the odd pixel
   * right and below; offsets round half to even.
   */
  public static Rgb centerCrop(Rgb picture, Size size) {
    Rgb padded =
        pad(
            picture,
            Math.max(size.width(), picture.width()),
            Math.max(size.height(), picture.height()));
    int left = (int) offset(padded.width(), size.width());
    int top = (int) offset(padded.height(), size.height());
    return padded.crop(left, top, size.width(), size.height());
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
