package org.ivit.core.image;

import java.io.Serializable;
import java.util.List;
import org.ivit.core.Size;

/**
 * What somebody wants otherwise than a model's {@link Preprocess} has it. The crop stays: it is the
 * model's picture size.
 *
 * @param resize as that of the transform; null to leave it, but where only the mode becomes {@link
 *     CropMode#SQUASH} it is the crop
 * @param cropMode null to leave it
 * @param interpolation null to leave it
 * @param mean three means of channel values in 0…1, red first; null to leave them
 * @param std three positive standard deviations, red first; null to leave them
 */
public record PreprocessChange(
    Size resize, CropMode cropMode, Interpolation interpolation, List<Float> mean, List<Float> std)
    implements Serializable {
  /** Nothing. */
  public static final PreprocessChange NONE = new PreprocessChange(null, null, null, null, null);

  /** Copies. */
  public PreprocessChange {
    mean = mean == null ? null : List.copyOf(mean);
    std = std == null ? null : List.copyOf(std);
  }

  /**
   * The transform with what is wanted.
   *
   * @throws org.ivit.core.InputException if that is none, as {@link Preprocess}
   */
  public Preprocess of(Preprocess own) {
    boolean squashes = cropMode == CropMode.SQUASH && own.cropMode() != CropMode.SQUASH;
    return new Preprocess(
        resize != null ? resize : squashes ? own.crop() : own.resize(),
        own.crop(),
        interpolation != null ? interpolation : own.interpolation(),
        cropMode != null ? cropMode : own.cropMode(),
        mean != null ? floats(mean) : own.mean(),
        std != null ? floats(std) : own.std());
  }

  private static float[] floats(List<Float> values) {
    float[] floats = new float[values.size()];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = values.get(i);
    }
    return floats;
  }
}
