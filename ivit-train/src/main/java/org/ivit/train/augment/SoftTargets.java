package org.ivit.train.augment;

import java.util.Arrays;

/** Labels as distributions over the classes, float32 [batch][classes]. */
public final class SoftTargets {
  private SoftTargets() {}

  /**
   * timm's {@code mixup_target}: each label has 1 − s + s/classes and every other class s/classes;
   * a picture has {@code share} of its own label and the rest of its partner's, the picture at the
   * same place counted from the batch's end.
   *
   * @param smoothing s, 0 to below 1
   * @param share of the picture's own label, 1 for no mixing
   */
  public static float[] of(int[] labels, int classes, double smoothing, double share) {
    float off = (float) (smoothing / classes);
    float on = (float) (1 - smoothing + smoothing / classes);
    float own = (float) share;
    float other = (float) (1 - share);
    float[] targets = new float[labels.length * classes];
    float both = off * own;
    both = both + off * other;
    Arrays.fill(targets, both);
    for (int i = 0; i < labels.length; i++) {
      int first = labels[i];
      int second = labels[labels.length - 1 - i];
      float at = (first == second ? on : off) * other;
      targets[i * classes + first] = on * own + at;
      if (second != first) {
        at = on * other;
        targets[i * classes + second] = off * own + at;
      }
    }
    return targets;
  }
}
