package org.ivit.train.loading;

import java.util.List;
import org.ivit.core.image.Rgb;
import org.ivit.train.augment.BatchMixer;
import org.ivit.train.augment.NormalisedPictures;
import org.ivit.train.augment.PlannedPictures;
import org.ivit.train.augment.TrainingPicture;
import org.ivit.train.augment.TrainingTransform;
import org.ivit.train.step.MicroBatch;

/**
 * Makes batches of decoded pictures: what the loader's threads do with each, and the rest.
 *
 * @param <T> what threads make of a picture
 */
public interface BatchAssembly<T> {
  /** What threads do. */
  T picture(Rgb picture, int epoch, int index);

  /**
   * Makes a batch.
   *
   * @param keys of the pictures' randomness
   * @param step as {@link BatchMixer#plan} takes it
   */
  MicroBatch batch(List<T> pictures, int[] labels, long[] keys, int epoch, long step);

  /** Pictures that are normalised and erased by the loader's threads, and then mixed. */
  record Normalised(TrainingTransform transform, BatchMixer mixer)
      implements BatchAssembly<float[]> {
    @Override
    public float[] picture(Rgb picture, int epoch, int index) {
      return transform.apply(picture, epoch, index);
    }

    @Override
    public MicroBatch batch(
        List<float[]> pictures, int[] labels, long[] keys, int epoch, long step) {
      float[] pixels = NormalisedPictures.of(pictures).pixels();
      float[] targets = mixer.mix(pixels, labels, transform.size(), epoch, step);
      return new MicroBatch(pixels, targets, labels.length, keys);
    }
  }

  /** Bytes, and plans of what is done with them on a device. */
  record Planned(TrainingTransform transform, BatchMixer mixer)
      implements BatchAssembly<TrainingPicture> {
    @Override
    public TrainingPicture picture(Rgb picture, int epoch, int index) {
      return transform.plan(picture, epoch, index);
    }

    @Override
    public MicroBatch batch(
        List<TrainingPicture> pictures, int[] labels, long[] keys, int epoch, long step) {
      var plan = mixer.plan(labels.length, transform.size(), epoch, step);
      return new MicroBatch(
          new PlannedPictures(pictures, transform.normalisation(), plan),
          mixer.targets(labels, plan),
          labels.length,
          keys);
    }
  }
}
