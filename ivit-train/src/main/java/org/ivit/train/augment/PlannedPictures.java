package org.ivit.train.augment;

import java.util.List;
import org.ivit.core.Size;
import org.ivit.core.image.Normalisation;
import org.ivit.core.image.Rgb;

/**
 * Pictures of bytes and what is yet to be done with them. A device does it there; {@link #pixels}
 * does it here, with the same values in every bit. For one thread.
 */
public final class PlannedPictures implements PictureBatch {
  private final List<TrainingPicture> pictures;
  private final Normalisation normalisation;
  private final MixPlan plan;
  private float[] pixels;

  /**
   * @param pictures of one size
   * @param normalisation of the model
   * @param plan a mix a picture
   */
  public PlannedPictures(
      List<TrainingPicture> pictures, Normalisation normalisation, MixPlan plan) {
    this.pictures = List.copyOf(pictures);
    this.normalisation = normalisation;
    this.plan = plan;
    if (plan.mixes().size() != pictures.size()) {
      throw new IllegalArgumentException(
          plan.mixes().size() + " mixes of " + pictures.size() + " pictures");
    }
  }

  /** The pictures. */
  public List<TrainingPicture> pictures() {
    return pictures;
  }

  /** How bytes are normalised. */
  public Normalisation normalisation() {
    return normalisation;
  }

  /** How pictures are mixed. */
  public MixPlan plan() {
    return plan;
  }

  /** Size of the pictures in pixels. */
  public Size size() {
    Rgb first = pictures.get(0).bytes();
    return new Size(first.height(), first.width());
  }

  @Override
  public float[] pixels() {
    if (pixels == null) {
      List<float[]> normalised =
          pictures.stream().map(picture -> picture.normalised(normalisation)).toList();
      pixels = NormalisedPictures.of(normalised).pixels();
      plan.apply(pixels, size());
    }
    return pixels;
  }
}
