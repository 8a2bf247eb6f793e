package org.ivit.train.augment;

/**
 * A rectangle of a normalised picture that is overwritten.
 *
 * @param top first row
 * @param left first column
 * @param height rows; with none nothing is overwritten
 * @param width columns
 * @param values a value a channel, or [3][height][width]
 */
@SuppressWarnings("ArrayRecordComponent")
public record Erasure(int top, int left, int height, int width, float[] values) {
  /** Whether every pixel has values of its own. */
  public boolean perPixel() {
    return values.length != 3;
  }

  /** Overwrites the rectangle in a picture, [3][pictureHeight][pictureWidth]. */
  void apply(float[] picture, int pictureHeight, int pictureWidth) {
    for (int c = 0; c < 3; c++) {
      for (int y = 0; y < height; y++) {
        int to = (c * pictureHeight + top + y) * pictureWidth + left;
        int from = (c * height + y) * width;
        for (int x = 0; x < width; x++) {
          picture[to + x] = perPixel() ? values[from + x] : values[c];
        }
      }
    }
  }
}
