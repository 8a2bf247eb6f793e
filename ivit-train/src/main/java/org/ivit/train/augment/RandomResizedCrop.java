package org.ivit.train.augment;

import org.ivit.core.Size;
import org.ivit.core.image.Interpolation;
import org.ivit.core.image.Resample;
import org.ivit.core.image.Rgb;

/**
 * timm's {@code RandomResizedCropAndInterpolation}: a rectangle of random area and shape, cut out
 * and then resized to one size, so that no pixel outside of it is seen.
 *
 * @param minScale smallest share of the area
 * @param maxScale largest share of the area
 * @param minRatio smallest width over height
 * @param maxRatio largest width over height
 * @param size of the result in pixels
 * @param interpolation filter of the resize
 */
record RandomResizedCrop(
    double minScale,
    double maxScale,
    double minRatio,
    double maxRatio,
    Size size,
    Interpolation interpolation) {
  private static final int ATTEMPTS = 10;

  /** A rectangle in a picture. */
  record Box(int left, int top, int width, int height) {}

  Rgb apply(Rgb picture, KeyedRandom random) {
    Box box = box(picture.width(), picture.height(), random);
    Rgb cut = picture.crop(box.left, box.top, box.width, box.height);
    return Resample.resize(cut, size.width(), size.height(), interpolation);
  }

  /** Draws a rectangle; the largest central one of a permitted shape if ten draws do not fit. */
  Box box(int width, int height, KeyedRandom random) {
    double area = (double) width * height;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      double target = random.uniform(minScale, maxScale) * area;
      double ratio =
          StrictMath.exp(random.uniform(StrictMath.log(minRatio), StrictMath.log(maxRatio)));
      int w = (int) Math.rint(Math.sqrt(target * ratio));
      int h = (int) Math.rint(Math.sqrt(target / ratio));
      if (w >= 1 && h >= 1 && w <= width && h <= height) {
        int top = random.nextInt(height - h + 1);
        int left = random.nextInt(width - w + 1);
        return new Box(left, top, w, h);
      }
    }
    int w = width;
    int h = height;
    double ratio = (double) width / height;
    if (ratio < minRatio) {
      h = Math.max(1, Math.min(height, (int) Math.rint(width / minRatio)));
    } else if (ratio > maxRatio) {
      w = Math.max(1, Math.min(width, (int) Math.rint(height * maxRatio)));
    }
    return new Box((width - w) / 2, (height - h) / 2, w, h);
  }
}
