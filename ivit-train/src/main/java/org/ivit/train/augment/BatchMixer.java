package org.ivit.train.augment;

import java.util.Arrays;
import java.util.function.IntConsumer;
import org.apache.commons.math3.distribution.BetaDistribution;
import org.ivit.train.recipe.Augmentation;

/**
 * timm's {@code Mixup}: mixup (Zhang et al. 2018) or cutmix (Yun et al. 2019) of each picture with
 * the one at the same place counted from the batch's end, and the labels' distributions.
 */
public final class BatchMixer {
  private final double mixup;
  private final double cutmix;
  private final double probability;
  private final double switchProbability;
  private final Augmentation.MixupMode mode;
  private final int offEpoch;
  private final double smoothing;
  private final int classes;
  private final long seed;

  /** The mixing of a run. */
  public BatchMixer(Augmentation augmentation, int classes, long seed) {
    this.mixup = augmentation.mixup();
    this.cutmix = augmentation.cutmix();
    this.probability = augmentation.mixupProbability();
    this.switchProbability = augmentation.mixupSwitchProbability();
    this.mode = augmentation.mixupMode();
    this.offEpoch = augmentation.mixupOffEpoch();
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
    double[] shares = new double[labels.length];
    Arrays.fill(shares, 1);
    if ((mixup > 0 || cutmix > 0) && (offEpoch == 0 || epoch < offEpoch)) {
      KeyedRandom random = new KeyedRandom(KeyedRandom.Use.MIXING, seed, epoch, step);
      switch (mode) {
        case BATCH -> mixBatch(pictures, size, shares, random);
        case PAIR -> mixPairs(pictures, size, shares, random);
        case ELEM -> mixEach(pictures, size, shares, random);
      }
    }
    return SoftTargets.of(labels, classes, smoothing, shares);
  }

  private void mixBatch(float[] pictures, int size, double[] shares, KeyedRandom random) {
    int batch = shares.length;
    Mix mix = draw(size, random);
    for (int i = 0; i < (batch + 1) / 2; i++) {
      mix.pair(pictures, pictures, i, batch - 1 - i, size);
    }
    Arrays.fill(shares, mix.share());
  }

  private void mixPairs(float[] pictures, int size, double[] shares, KeyedRandom random) {
    int batch = shares.length;
    for (int i = 0; i < batch / 2; i++) {
      Mix mix = draw(size, random);
      mix.pair(pictures, pictures, i, batch - 1 - i, size);
      shares[i] = mix.share();
      shares[batch - 1 - i] = mix.share();
    }
  }

  private void mixEach(float[] pictures, int size, double[] shares, KeyedRandom random) {
    int batch = shares.length;
    float[] before = pictures.clone();
    for (int i = 0; i < batch; i++) {
      Mix mix = draw(size, random);
      mix.one(pictures, before, i, batch - 1 - i, size);
      shares[i] = mix.share();
    }
  }

  private Mix draw(int size, KeyedRandom random) {
    if (!random.chance(probability)) {
      return Mix.NONE;
    }
    boolean cut = cutmix > 0 && (mixup == 0 || random.chance(switchProbability));
    double alpha = cut ? cutmix : mixup;
    double share = new BetaDistribution(random, alpha, alpha).sample();
    return cut ? Mix.rectangle(size, share, random) : new Mix(share, true, 0, 0, 0, 0);
  }

  /**
   * What happens to a picture and its partner.
   *
   * @param share of the picture's own label
   * @param blends mixup, or else the rectangle comes from the partner
   */
  private record Mix(double share, boolean blends, int top, int bottom, int left, int right) {
    static final Mix NONE = new Mix(1, false, 0, 0, 0, 0);

    /** A rectangle of about {@code 1 − share} of the area, cut at the border. */
    static Mix rectangle(int size, double share, KeyedRandom random) {
      int half = (int) (size * Math.sqrt(1 - share)) / 2;
      int y = random.nextInt(size);
      int x = random.nextInt(size);
      int top = Math.max(0, y - half);
      int bottom = Math.min(size, y + half);
      int left = Math.max(0, x - half);
      int right = Math.min(size, x + half);
      double own = 1 - (bottom - top) * (double) (right - left) / ((double) size * size);
      return new Mix(own, false, top, bottom, left, right);
    }

    /** Mixes pictures {@code i} and {@code j} with each other. */
    void pair(float[] pictures, float[] before, int i, int j, int size) {
      int length = 3 * size * size;
      if (blends) {
        float own = (float) share;
        float rest = 1 - own;
        for (int k = 0; k < length; k++) {
          float x = before[i * length + k];
          float y = before[j * length + k];
          float first = x * own;
          float second = y * own;
          pictures[i * length + k] = first + y * rest;
          pictures[j * length + k] = second + x * rest;
        }
        return;
      }
      forEachInside(
          size,
          k -> {
            float value = before[i * length + k];
            pictures[i * length + k] = before[j * length + k];
            pictures[j * length + k] = value;
          });
    }

    /** Mixes picture {@code j} into {@code i}, as they were {@code before}. */
    void one(float[] pictures, float[] before, int i, int j, int size) {
      int length = 3 * size * size;
      if (blends) {
        float own = (float) share;
        float rest = 1 - own;
        for (int k = 0; k < length; k++) {
          float first = before[i * length + k] * own;
          pictures[i * length + k] = first + before[j * length + k] * rest;
        }
        return;
      }
      forEachInside(size, k -> pictures[i * length + k] = before[j * length + k]);
    }

    private void forEachInside(int size, IntConsumer body) {
      for (int c = 0; c < 3; c++) {
        for (int row = top; row < bottom; row++) {
          int from = (c * size + row) * size;
          for (int column = left; column < right; column++) {
            body.accept(from + column);
          }
        }
      }
    }
  }
}
