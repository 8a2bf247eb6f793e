package org.ivit.train.step;

import org.ivit.train.augment.NormalisedPictures;
import org.ivit.train.augment.PictureBatch;

/**
 * Pictures that go through the network in one pass.
 *
 * @param images the pictures
 * @param targets [pictures][classes], or [pictures][2·classes] with the teacher's probabilities
 *     behind the targets, or the teacher's features, [pictures][width]
 * @param pictures number of pictures
 * @param keys of the pictures' randomness, functions of seed, epoch and picture
 */
public record MicroBatch(PictureBatch images, float[] targets, int pictures, long[] keys) {
  /**
   * Of normalised pictures.
   *
   * @param pixels [pictures][3][image][image]
   */
  public MicroBatch(float[] pixels, float[] targets, int pictures, long[] keys) {
    this(new NormalisedPictures(pixels), targets, pictures, keys);
  }

  /** Normalised, [pictures][3][image][image]. */
  public float[] pixels() {
    return images.pixels();
  }
}
