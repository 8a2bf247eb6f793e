package org.ivit.core.pretrained;

import org.ivit.core.Size;
import org.ivit.core.image.Preprocess;

/** Transforms for another picture size than that of their source. */
final class ModelTransforms {
  private ModelTransforms() {}

  /**
   * The same part of a picture in another size: the resize grows or shrinks with the crop, rounded
   * down.
   */
  static Preprocess scaled(Preprocess source, int image) {
    return scaled(source, Size.of(image));
  }

  /** The same on each axis by itself. */
  static Preprocess scaled(Preprocess source, Size image) {
    if (source.crop().equals(image)) {
      return source;
    }
    Size resize =
        new Size(
            scaled(source.resize().height(), image.height(), source.crop().height()),
            scaled(source.resize().width(), image.width(), source.crop().width()));
    return new Preprocess(
        resize, image, source.interpolation(), source.cropMode(), source.mean(), source.std());
  }

  private static int scaled(int resize, int image, int crop) {
    return (int) ((long) resize * image / crop);
  }
}
