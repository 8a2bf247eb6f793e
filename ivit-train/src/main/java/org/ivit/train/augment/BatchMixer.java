package org.ivit.train.augment;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.apache.commons.math3.distribution.BetaDistribution;
import org.ivit.core.Size;
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
   * @param pictures [batch][3][height][width], normalised
   * @param labels one a picture
   * @param step of the run; with the seed it alone decides what happens
   * @return the targets, [batch][classes]
   */
  public float[] mix(float[] pictures, int[] labels, Size size, int epoch, long step) {
    if (pictures.length != labels.length * 3 * size.area()) {
      throw new IllegalArgumentException(
          pictures.length + " values for " + labels.length + " pictures of " + size);
    }
    MixPlan plan = plan(labels.length, size, epoch, step);
    plan.apply(pictures, size);
    return targets(labels, plan);
  }

  /**
   * Draws how a batch is mixed.
   *
   * @param batch pictures
   * @param size of a picture in pixels
   * @param step of the run; with the seed it alone decides what happens
   */
  public MixPlan plan(int batch, Size size, int epoch, long step) {
    if ((mixup == 0 && cutmix == 0) || (offEpoch > 0 && epoch >= offEpoch)) {
      return new MixPlan(Collections.nCopies(batch, Mix.NONE));
    }
    KeyedRandom random = new KeyedRandom(KeyedRandom.Use.MIXING, seed, epoch, step);
    return switch (mode) {
      case BATCH -> new MixPlan(Collections.nCopies(batch, draw(size, random)));
      case PAIR -> pairs(batch, size, random);
      case ELEM -> each(batch, size, random);
    };
  }

  /** A picture in the middle has no partner but itself, and stays. */
  private MixPlan pairs(int batch, Size size, KeyedRandom random) {
    Mix[] mixes = new Mix[batch];
    Arrays.fill(mixes, Mix.NONE);
    for (int i = 0; i < batch / 2; i++) {
      mixes[i] = draw(size, random);
      mixes[batch - 1 - i] = mixes[i];
    }
    return new MixPlan(List.of(mixes));
  }

  private MixPlan each(int batch, Size size, KeyedRandom random) {
    List<Mix> mixes = new ArrayList<>();
    for (int i = 0; i < batch; i++) {
      mixes.add(draw(size, random));
    }
    return new MixPlan(mixes);
  }

  /** The labels' distributions in a mixed batch, [batch][classes]. */
  public float[] targets(int[] labels, MixPlan plan) {
    return SoftTargets.of(labels, classes, smoothing, plan.shares());
  }

  private Mix draw(Size size, KeyedRandom random) {
    if (!random.chance(probability)) {
      return Mix.NONE;
    }
    boolean cut = cutmix > 0 && (mixup == 0 || random.chance(switchProbability));
    double alpha = cut ? cutmix : mixup;
    double share = new BetaDistribution(random, alpha, alpha).sample();
    return cut ? Mix.rectangle(size, share, random) : Mix.blend(share);
  }
}
