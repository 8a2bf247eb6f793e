package org.ivit.core.pretrained;

import org.ivit.core.image.Preprocess;

/** Transforms for another picture size than that of their source. */
final class ModelTransforms {
  private ModelTransforms() {}

  /**
   * The same part of a picture in another size: the resize grows or shrinks with the crop, rounded
   * down.
   */
  static Preprocess scaled(Preprocess source, int image) {
    if (source.crop() == image) {
      return source;
    }
    int resize = (int) ((long) source.resize() * image / source.crop());
    return new Preprocess(
        resize, image, source.interpolation(), source.cropMode(), source.mean(), source.std());
  }
}
