package org.ivit.train.augment;

import java.util.List;

/**
 * Pictures with which all is done.
 *
 * @param pixels [pictures][3][height][width]; held, not copied
 */
public record NormalisedPictures(float[] pixels) implements PictureBatch {
  /**
   * Puts pictures of one size behind each other.
   *
   * @param pictures [3][height][width] each, at least one
   */
  public static NormalisedPictures of(List<float[]> pictures) {
    int length = pictures.get(0).length;
    float[] pixels = new float[pictures.size() * length];
    for (int i = 0; i < pictures.size(); i++) {
      System.arraycopy(pictures.get(i), 0, pixels, i * length, length);
    }
    return new NormalisedPictures(pixels);
  }
}
