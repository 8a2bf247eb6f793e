package org.ivit.train.loading;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.ivit.core.InputException;
import org.ivit.core.dataset.Dataset;
import org.ivit.core.dataset.OnCorrupt;
import org.ivit.core.dataset.PictureLoader;
import org.ivit.train.augment.EpochOrder;
import org.ivit.train.augment.KeyedRandom;
import org.ivit.train.step.MicroBatch;

/**
 * The batches of one epoch from some position on; a last batch that is not full is left out.
 *
 * @param <T> what the loader's threads make of a picture
 */
public final class EpochBatches<T> implements AutoCloseable {
  private final BatchAssembly<T> assembly;
  private final int batchSize;
  private final long seed;
  private final int epoch;
  private final int[] order;
  private final PictureLoader<T> loader;
  private int position;

  /**
   * A batch.
   *
   * @param batch to train on
   * @param position pictures of the epoch's order that are used up with it
   */
  public record Read(MicroBatch batch, int position) {}

  public EpochBatches(
      Dataset set,
      BatchAssembly<T> assembly,
      int batchSize,
      long seed,
      int epoch,
      int repeats,
      int position,
      OnCorrupt onCorrupt,
      int threads) {
    this.assembly = assembly;
    this.batchSize = batchSize;
    this.seed = seed;
    this.epoch = epoch;
    this.position = position;
    this.order = EpochOrder.repeated(set.size(), repeats, seed, epoch);
    this.loader =
        new PictureLoader<>(
            new RepeatedPictures(set, repeats),
            Arrays.copyOfRange(order, position, order.length),
            (picture, index) -> assembly.picture(picture, epoch, index),
            onCorrupt,
            threads,
            3 * batchSize);
  }

  /**
   * The next full batch, or null at the end of the epoch.
   *
   * @throws InputException if a picture is corrupt and that is fatal
   */
  public Read next() {
    List<T> pictures = new ArrayList<>(batchSize);
    int[] labels = new int[batchSize];
    long[] keys = new long[batchSize];
    while (pictures.size() < batchSize && loader.hasNext()) {
      PictureLoader.Loaded<T> next = loader.next();
      labels[pictures.size()] = next.label();
      keys[pictures.size()] = KeyedRandom.key(KeyedRandom.Use.DEPTH, seed, epoch, next.index());
      pictures.add(next.value());
      advance(next.index());
    }
    if (pictures.size() < batchSize) {
      return null;
    }
    return new Read(assembly.batch(pictures, labels, keys, epoch, position), position);
  }

  /** Whether there is a next batch that nothing waits for. */
  public boolean ready() {
    return loader.ready(batchSize);
  }

  /** Skipped pictures count as used up. */
  private void advance(int index) {
    while (order[position] != index) {
      position++;
    }
    position++;
  }

  /** What the loader has done so far. */
  public PictureLoader.Work work() {
    return loader.work();
  }

  /** Number of full batches of an epoch. */
  public static int count(Dataset set, int batchSize) {
    return set.size() / batchSize;
  }

  @Override
  public void close() {
    loader.close();
  }
}
