package org.ivit.train.loop;

import org.ivit.core.image.EvaluationTransform;
import org.ivit.core.image.Rgb;

/** No augmentation: the evaluation transform, and smoothed labels. */
final class PlainPictures implements PicturePipeline {
  private final EvaluationTransform transform;
  private final int classes;
  private final double smoothing;

  PlainPictures(EvaluationTransform transform, int classes, double smoothing) {
    this.transform = transform;
    this.classes = classes;
    this.smoothing = smoothing;
  }

  @Override
  public float[] picture(Rgb picture, long key) {
    return transform.normalised(picture);
  }

  @Override
  public float[] targets(float[] pixels, int[] labels, long key) {
    float[] targets = new float[labels.length * classes];
    java.util.Arrays.fill(targets, (float) (smoothing / classes));
    for (int n = 0; n < labels.length; n++) {
      targets[n * classes + labels[n]] += (float) (1 - smoothing);
    }
    return targets;
  }
}
