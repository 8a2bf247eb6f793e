package org.ivit.train.augment;

import java.util.List;
import org.ivit.core.image.Normalisation;
import org.ivit.core.image.Rgb;

/**
 * A picture as training sees it, before normalisation.
 *
 * @param bytes cropped, flipped and augmented, a square
 * @param erasures what is overwritten after normalisation, in this order
 */
public record TrainingPicture(Rgb bytes, List<Erasure> erasures) {
  /** Copies the list. */
  public TrainingPicture {
    erasures = List.copyOf(erasures);
  }

  /** Normalised and erased, [3][height][width]. */
  float[] normalised(Normalisation normalisation) {
    float[] out = normalisation.apply(bytes);
    erasures.forEach(erasure -> erasure.apply(out, bytes.height(), bytes.width()));
    return out;
  }
}
