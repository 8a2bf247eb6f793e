package org.ivit.train.augment;

/** The pictures of a micro-batch, as a network reads them or not quite yet. */
public sealed interface PictureBatch permits NormalisedPictures, PlannedPictures {
  /** Normalised, erased and mixed: [pictures][3][height][width]; not to be written to. */
  float[] pixels();
}
