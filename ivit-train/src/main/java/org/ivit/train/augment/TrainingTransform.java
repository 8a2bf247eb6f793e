package org.ivit.train.augment;

import org.ivit.core.Size;
import org.ivit.core.image.EvaluationTransform;
import org.ivit.core.image.Normalisation;
import org.ivit.core.image.Preprocess;
import org.ivit.core.image.Rgb;
import org.ivit.train.recipe.Augmentation;

/**
 * A picture as training sees it: crop, flip, RandAugment and colour jitter on bytes, normalisation,
 * random erasing, in timm's order. Thread-safe; what happens follows from seed, epoch and index
 * alone.
 */
public final class TrainingTransform {
  private final Augmentation augmentation;
  private final EvaluationTransform evaluation;
  private final Normalisation normalisation;
  private final RandomResizedCrop crop;
  private final RandAugment randAugment;
  private final ColorJitter jitter;
  private final RandomErasing erasing;
  private final Size size;
  private final long seed;

  /**
   * The transform of a run.
   *
   * @param preprocess the evaluation transform, for size, filter and normalisation, and for
   *     pictures that are not cropped at random
   */
  public TrainingTransform(Augmentation augmentation, Preprocess preprocess, long seed) {
    this.augmentation = augmentation;
    this.evaluation = new EvaluationTransform(preprocess);
    this.normalisation = new Normalisation(preprocess);
    this.size = preprocess.crop();
    this.seed = seed;
    Augmentation.RandomResizedCrop c = augmentation.randomResizedCrop();
    this.crop =
        c == null
            ? null
            : new RandomResizedCrop(
                c.scale().get(0),
                c.scale().get(1),
                c.ratio().get(0),
                c.ratio().get(1),
                size,
                preprocess.interpolation());
    this.randAugment =
        augmentation.randAugment() == null
            ? null
            : new RandAugment(
                augmentation.randAugment(), preprocess.interpolation(), fill(preprocess.mean()));
    Augmentation.ColorJitter j = augmentation.colorJitter();
    this.jitter = new ColorJitter(j.brightness(), j.contrast(), j.saturation());
    Augmentation.RandomErasing e = augmentation.randomErasing();
    this.erasing = new RandomErasing(e.probability(), e.mode(), e.minCount(), e.count());
  }

  /** The colour that normalisation takes to 0, as bytes. */
  private static int[] fill(float[] mean) {
    int[] fill = new int[mean.length];
    for (int c = 0; c < fill.length; c++) {
      fill[c] = (int) Math.max(0, Math.min(255, Math.rint(255.0 * mean[c])));
    }
    return fill;
  }

  /** Size in pixels of what comes out. */
  public Size size() {
    return size;
  }

  /**
   * The normalised picture, [3][height][width].
   *
   * @param index of the picture in the training set
   */
  public float[] apply(Rgb picture, int epoch, int index) {
    return plan(picture, epoch, index).normalised(normalisation);
  }

  /** The same before normalisation, with what is to be erased after it. */
  public TrainingPicture plan(Rgb picture, int epoch, int index) {
    KeyedRandom random = random(epoch, index);
    return new TrainingPicture(
        bytes(picture, random), erasing.plan(size.height(), size.width(), random));
  }

  /** How bytes are normalised. */
  public Normalisation normalisation() {
    return normalisation;
  }

  /** The same before normalisation and erasing, to look at. */
  public Rgb picture(Rgb picture, int epoch, int index) {
    return bytes(picture, random(epoch, index));
  }

  private KeyedRandom random(int epoch, int index) {
    return new KeyedRandom(KeyedRandom.Use.PICTURE, seed, epoch, index);
  }

  private Rgb bytes(Rgb picture, KeyedRandom random) {
    Rgb out = crop == null ? evaluation.apply(picture) : crop.apply(picture, random);
    if (augmentation.padding() > 0) {
      out = PaddedCrop.apply(out, augmentation.padding(), random);
    }
    if (random.chance(augmentation.flip())) {
      out = out.flipped();
    }
    if (randAugment != null) {
      out = randAugment.apply(out, random);
    }
    return jitter.apply(out, random);
  }
}
