package org.ivit.train.loop;

import org.ivit.core.image.Rgb;

/** What becomes of training pictures and labels. */
interface PicturePipeline {
  /**
   * Transforms one picture; called in several threads at once.
   *
   * @param picture as decoded
   * @param key of its randomness
   * @return normalised pixels, [3][image][image]
   */
  float[] picture(Rgb picture, long key);

  /**
   * Mixes a batch and makes its targets.
   *
   * @param pixels [pictures][3][image][image], mixed in place
   * @param labels class of each picture
   * @param key of the batch's randomness
   * @return targets, [pictures][classes]
   */
  float[] targets(float[] pixels, int[] labels, long key);
}
