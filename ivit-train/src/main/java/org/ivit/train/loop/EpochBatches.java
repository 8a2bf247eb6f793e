package org.ivit.train.loop;

import java.util.Arrays;
import org.ivit.core.InputException;
import org.ivit.core.dataset.Dataset;
import org.ivit.core.dataset.OnCorrupt;
import org.ivit.core.dataset.PictureLoader;
import org.ivit.train.augment.BatchMixer;
import org.ivit.train.augment.EpochOrder;
import org.ivit.train.augment.KeyedRandom;
import org.ivit.train.augment.TrainingTransform;
import org.ivit.train.network.MicroBatch;

/** The batches of one epoch from some position on; a last batch that is not full is left out. */
final class EpochBatches implements AutoCloseable {
  private final BatchMixer mixer;
  private final int size;
  private final int batchSize;
  private final long seed;
  private final int epoch;
  private final int[] order;
  private final PictureLoader<float[]> loader;
  private int position;
  private long waitedNanos;

  EpochBatches(
      Dataset set,
      TrainingTransform transform,
      BatchMixer mixer,
      int batchSize,
      long seed,
      int epoch,
      int repeats,
      int position,
      OnCorrupt onCorrupt,
      int threads) {
    this.mixer = mixer;
    this.size = transform.size();
    this.batchSize = batchSize;
    this.seed = seed;
    this.epoch = epoch;
    this.position = position;
    this.order = EpochOrder.repeated(set.size(), repeats, seed, epoch);
    this.loader =
        new PictureLoader<>(
            new RepeatedPictures(set, repeats),
            Arrays.copyOfRange(order, position, order.length),
            (picture, index) -> transform.apply(picture, epoch, index),
            onCorrupt,
            threads,
            3 * batchSize);
  }

  /**
   * The next full batch, or null at the end of the epoch.
   *
   * @throws InputException if a picture is corrupt and that is fatal
   */
  MicroBatch next() {
    long start = System.nanoTime();
    float[] pixels = null;
    int[] labels = new int[batchSize];
    long[] keys = new long[batchSize];
    int count = 0;
    while (count < batchSize && loader.hasNext()) {
      PictureLoader.Loaded<float[]> next = loader.next();
      if (pixels == null) {
        pixels = new float[batchSize * next.value().length];
      }
      System.arraycopy(next.value(), 0, pixels, count * next.value().length, next.value().length);
      labels[count] = next.label();
      keys[count] = KeyedRandom.key(KeyedRandom.Use.DEPTH, seed, epoch, next.index());
      count++;
      advance(next.index());
    }
    waitedNanos += System.nanoTime() - start;
    if (count < batchSize) {
      return null;
    }
    float[] targets = mixer.mix(pixels, labels, size, epoch, position);
    return new MicroBatch(pixels, targets, batchSize, keys);
  }

  /** Skipped pictures count as used up. */
  private void advance(int index) {
    while (order[position] != index) {
      position++;
    }
    position++;
  }

  /** Pictures of the epoch's order that are used up. */
  int position() {
    return position;
  }

  /** Time spent waiting for pictures since the last call. */
  long takeWaitedNanos() {
    long waited = waitedNanos;
    waitedNanos = 0;
    return waited;
  }

  /** Number of full batches of an epoch. */
  static int count(Dataset set, int batchSize) {
    return set.size() / batchSize;
  }

  @Override
  public void close() {
    loader.close();
  }
}
