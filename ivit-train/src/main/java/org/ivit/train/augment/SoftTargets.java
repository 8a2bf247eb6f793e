package org.ivit.train.augment;

import java.util.Arrays;

/** Labels as distributions over the classes, float32 [batch][classes]. */
public final class SoftTargets {
  private SoftTargets() {}

  /**
   * timm's {@code mixup_target}: each label has 1 − s + s/classes and every other class s/classes;
   * picture i has {@code shares[i]} of its own label and the rest of its partner's, the picture at
   * the same place counted from the batch's end.
   *
   * @param smoothing s, 0 to below 1
   * @param shares of the pictures' own labels, 1 for no mixing
   */
  public static float[] of(int[] labels, int classes, double smoothing, double[] shares) {
    float off = (float) (smoothing / classes);
    float on = (float) (1 - smoothing + smoothing / classes);
    float[] targets = new float[labels.length * classes];
    for (int i = 0; i < labels.length; i++) {
      float own = (float) shares[i];
      float other = (float) (1 - shares[i]);
      float both = off * own;
      both = both + off * other;
      Arrays.fill(targets, i * classes, (i + 1) * classes, both);
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
