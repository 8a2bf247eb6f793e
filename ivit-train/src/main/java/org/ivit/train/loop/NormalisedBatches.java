package org.ivit.train.loop;

import java.util.AbstractList;
import java.util.List;
import java.util.RandomAccess;
import org.ivit.core.image.Normalisation;
import org.ivit.core.image.Rgb;

/**
 * Batches of normalised pixels, [pictures][3][height][width] float32, made of bytes each time one
 * is asked for: a thousand pictures would else take a gigabyte and more.
 */
final class NormalisedBatches extends AbstractList<float[]> implements RandomAccess {
  private final List<Rgb> pictures;
  private final int batchSize;
  private final Normalisation normalisation;

  /**
   * @param pictures of one size, at least one; held, not copied
   * @param batchSize pictures of a batch; the last one may have fewer
   * @param normalisation of the model
   */
  NormalisedBatches(List<Rgb> pictures, int batchSize, Normalisation normalisation) {
    this.pictures = pictures;
    this.batchSize = batchSize;
    this.normalisation = normalisation;
  }

  @Override
  public float[] get(int index) {
    int first = Math.multiplyExact(index, batchSize);
    int end = (int) Math.min(pictures.size(), (long) first + batchSize);
    return normalisation.apply(pictures.subList(first, end));
  }

  @Override
  public int size() {
    return (int) (((long) pictures.size() + batchSize - 1) / batchSize);
  }
}
