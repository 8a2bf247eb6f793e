package org.ivit.train.loading;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.stream.IntStream;
import org.ivit.core.InputException;
import org.ivit.core.Size;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.dataset.Dataset;
import org.ivit.core.dataset.PictureLoader;
import org.ivit.core.image.Preprocess;
import org.ivit.core.image.Rgb;
import org.ivit.train.augment.EpochOrder;
import org.ivit.train.augment.TrainingPicture;
import org.ivit.train.augment.TrainingTransform;
import org.ivit.train.recipe.Augmentation;
import org.ivit.train.recipe.Recipe;
import org.ivit.train.run.RunDirectory;

/** Measures how fast the training pictures of a recipe are loaded, without any step. */
public final class LoaderBenchmark implements AutoCloseable {
  private static final double MILLI = 1e-6;

  private final Recipe recipe;
  private final Dataset set;
  private final Preprocess preprocess;
  private final TrainingTransform transform;

  /**
   * Processor time of one thread for a picture, in milliseconds.
   *
   * @param decode reading and decoding
   * @param crop crop, resize and flip
   * @param augment RandAugment, colour jitter, what erasing draws
   * @param normalise normalisation and erasing, which a device does itself
   */
  public record Stages(double decode, double crop, double augment, double normalise) {
    /** What the loader's threads do where a device takes the steps. */
    public double bytes() {
      return decode + crop + augment;
    }

    /** What they do where the processor takes them. */
    public double all() {
      return bytes() + normalise;
    }
  }

  /**
   * Opens the training set of a recipe.
   *
   * @throws InputException if it has none, or it cannot be opened
   */
  public LoaderBenchmark(Recipe recipe) {
    if (recipe.data().train() == null) {
      throw new InputException("data.train: found nothing, expected a set of pictures");
    }
    this.recipe = recipe;
    Architecture architecture = RunDirectory.architecture(recipe);
    preprocess = RecipePictures.preprocess(recipe, architecture);
    set = RecipePictures.open(recipe.data().train(), recipe, architecture);
    transform = new TrainingTransform(recipe.augmentation(), preprocess, recipe.seed());
  }

  /** Pictures in the set. */
  public int size() {
    return set.size();
  }

  /** Size in pixels of what is loaded. */
  public Size pictureSize() {
    return preprocess.crop();
  }

  /**
   * Loads pictures in one thread, stage by stage, after a warm-up of as many.
   *
   * @param pictures how many, over several epochs where there are fewer
   */
  public Stages stages(int pictures) {
    Augmentation a = recipe.augmentation();
    TrainingTransform cropOnly =
        new TrainingTransform(
            new Augmentation(
                a.randomResizedCrop(),
                a.padding(),
                a.flip(),
                null,
                new Augmentation.ColorJitter(0, 0, 0),
                0,
                0,
                0,
                0,
                a.mixupMode(),
                0,
                0,
                new Augmentation.RandomErasing(0, Augmentation.Fill.CONST, 1, 1)),
            preprocess,
            recipe.seed());
    stages(cropOnly, pictures);
    return stages(cropOnly, pictures);
  }

  private Stages stages(TrainingTransform cropOnly, int pictures) {
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    long[] nanos = new long[4];
    for (int i = 0; i < pictures; i++) {
      int epoch = i / set.size();
      int index = i % set.size();
      long start = threads.getCurrentThreadCpuTime();
      Rgb picture = set.picture(index);
      long decoded = threads.getCurrentThreadCpuTime();
      cropOnly.picture(picture, epoch, index);
      long cropped = threads.getCurrentThreadCpuTime();
      transform.plan(picture, epoch, index);
      long planned = threads.getCurrentThreadCpuTime();
      transform.apply(picture, epoch, index);
      long done = threads.getCurrentThreadCpuTime();
      nanos[0] += decoded - start;
      nanos[1] += cropped - decoded;
      nanos[2] += planned - cropped - (cropped - decoded);
      nanos[3] += done - planned - (planned - cropped);
    }
    double per = MILLI / pictures;
    return new Stages(
        per * nanos[0], per * nanos[1], Math.max(0, per * nanos[2]), Math.max(0, per * nanos[3]));
  }

  /**
   * Loads pictures as steps on a device read them: bytes and plans.
   *
   * @param threads of the loader, at least 1
   * @param seconds how long, after a warm-up of a quarter of that
   * @return pictures a second of wall time
   */
  public double picturesPerSecond(int threads, double seconds) {
    int[] order =
        IntStream.range(0, Math.max(1, 10_000_000 / set.size()))
            .flatMap(epoch -> IntStream.of(EpochOrder.shuffled(set.size(), recipe.seed(), epoch)))
            .toArray();
    try (PictureLoader<TrainingPicture> loader =
        new PictureLoader<>(
            set,
            order,
            (picture, index) -> transform.plan(picture, 0, index),
            RecipePictures.onCorrupt(recipe),
            threads,
            32 * threads)) {
      read(loader, seconds / 4);
      return read(loader, seconds);
    }
  }

  private static double read(PictureLoader<TrainingPicture> loader, double seconds) {
    long start = System.nanoTime();
    long end = start + (long) (seconds * 1e9);
    int pictures = 0;
    do {
      if (!loader.hasNext()) {
        break;
      }
      loader.next();
      pictures++;
    } while (System.nanoTime() < end);
    return pictures / ((System.nanoTime() - start) * 1e-9);
  }

  @Override
  public void close() {
    set.close();
  }
}
