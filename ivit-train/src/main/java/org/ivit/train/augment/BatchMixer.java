package org.ivit.train.augment;

import org.apache.commons.math3.distribution.BetaDistribution;
import org.ivit.train.recipe.Augmentation;

/**
 * timm's {@code Mixup} in batch mode: mixup (Zhang et al. 2018) or cutmix (Yun et al. 2019) of each
 * picture with the one at the same place counted from the batch's end, and the labels'
 * distributions.
 */
public final class BatchMixer {
  private final double mixup;
  private final double cutmix;
  private final double probability;
  private final double switchProbability;
  private final double smoothing;
  private final int classes;
  private final long seed;

  /** The mixing of a run. */
  public BatchMixer(Augmentation augmentation, int classes, long seed) {
    this.mixup = augmentation.mixup();
    this.cutmix = augmentation.cutmix();
    this.probability = augmentation.mixupProbability();
    this.switchProbability = augmentation.mixupSwitchProbability();
    this.smoothing = augmentation.labelSmoothing();
    this.classes = classes;
    this.seed = seed;
  }

  /**
   * Mixes a batch in place.
   *
   * @param pictures [batch][3][size][size], normalised
   * @param labels one a picture
   * @param step of the run; with the seed it alone decides what happens
   * @return the targets, [batch][classes]
   */
  public float[] mix(float[] pictures, int[] labels, int size, int epoch, long step) {
    if (pictures.length != labels.length * 3 * size * size) {
      throw new IllegalArgumentException(
          pictures.length + " values for " + labels.length + " pictures of " + size);
    }
    KeyedRandom random = new KeyedRandom(KeyedRandom.Use.MIXING, seed, epoch, step);
    double share = 1;
    if ((mixup > 0 || cutmix > 0) && random.chance(probability)) {
      boolean cut = cutmix > 0 && (mixup == 0 || random.chance(switchProbability));
      double alpha = cut ? cutmix : mixup;
      share = new BetaDistribution(random, alpha, alpha).sample();
      if (cut) {
        share = cut(pictures, labels.length, size, share, random);
      } else {
        blend(pictures, labels.length, (float) share);
      }
    }
    return SoftTargets.of(labels, classes, smoothing, share);
  }

  private static void blend(float[] pictures, int batch, float share) {
    int length = pictures.length / batch;
    float rest = 1 - share;
    for (int i = 0; i < (batch + 1) / 2; i++) {
      int a = i * length;
      int b = (batch - 1 - i) * length;
      for (int k = 0; k < length; k++) {
        float x = pictures[a + k];
        float y = pictures[b + k];
        float first = x * share;
        float second = y * share;
        pictures[a + k] = first + y * rest;
        pictures[b + k] = second + x * rest;
      }
    }
  }

  /** Exchanges a rectangle and returns the share of the area that stays. */
  private static double cut(
      float[] pictures, int batch, int size, double share, KeyedRandom random) {
    int half = (int) (size * Math.sqrt(1 - share)) / 2;
    int y = random.nextInt(size);
    int x = random.nextInt(size);
    int top = Math.max(0, y - half);
    int bottom = Math.min(size, y + half);
    int left = Math.max(0, x - half);
    int right = Math.min(size, x + half);
    int length = 3 * size * size;
    for (int i = 0; i < batch / 2; i++) {
      int a = i * length;
      int b = (batch - 1 - i) * length;
      for (int c = 0; c < 3; c++) {
        for (int row = top; row < bottom; row++) {
          for (int k = (c * size + row) * size + left; k < (c * size + row) * size + right; k++) {
            float value = pictures[a + k];
            pictures[a + k] = pictures[b + k];
            pictures[b + k] = value;
          }
        }
      }
    }
    return 1 - (bottom - top) * (double) (right - left) / ((double) size * size);
  }
}
