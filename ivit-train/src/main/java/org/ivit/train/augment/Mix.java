package org.ivit.train.augment;

import org.ivit.core.Size;

/**
 * What happens to a picture of a batch and its partner.
 *
 * @param share of the picture's own label
 * @param blends mixup, or else the rectangle comes from the partner
 * @param top first row of the rectangle
 * @param bottom row after its last one
 * @param left first column of the rectangle
 * @param right column after its last one
 */
public record Mix(double share, boolean blends, int top, int bottom, int left, int right) {
  static final Mix NONE = new Mix(1, false, 0, 0, 0, 0);

  static Mix blend(double share) {
    return new Mix(share, true, 0, 0, 0, 0);
  }

  /** A rectangle of about {@code 1 − share} of the area, cut at the border. */
  static Mix rectangle(Size size, double share, KeyedRandom random) {
    double side = Math.sqrt(1 - share);
    int halfHeight = (int) (size.height() * side) / 2;
    int halfWidth = (int) (size.width() * side) / 2;
    int y = random.nextInt(size.height());
    int x = random.nextInt(size.width());
    int top = Math.max(0, y - halfHeight);
    int bottom = Math.min(size.height(), y + halfHeight);
    int left = Math.max(0, x - halfWidth);
    int right = Math.min(size.width(), x + halfWidth);
    double own = 1 - (bottom - top) * (double) (right - left) / size.area();
    return new Mix(own, false, top, bottom, left, right);
  }

  /** The factor of the picture's values where it blends. */
  public float own() {
    return (float) share;
  }

  /** The factor of the partner's values where it blends. */
  public float rest() {
    return 1 - own();
  }

  /**
   * Mixes a picture in place, [3][height][width].
   *
   * @param at where the picture begins in {@code pictures}
   * @param partners where the partner lies, as it was
   * @param from where it begins there
   */
  void apply(float[] pictures, int at, float[] partners, int from, Size size) {
    if (blends) {
      float own = own();
      float rest = rest();
      for (int k = 0; k < 3 * size.area(); k++) {
        float first = pictures[at + k] * own;
        pictures[at + k] = first + partners[from + k] * rest;
      }
      return;
    }
    for (int c = 0; c < 3; c++) {
      for (int row = top; row < bottom && left < right; row++) {
        int k = (c * size.height() + row) * size.width() + left;
        System.arraycopy(partners, from + k, pictures, at + k, right - left);
      }
    }
  }
}
