package org.ivit.core.dataset;

import org.ivit.core.InputException;

/**
 * A set in two parts.
 *
 * @param training what a run learns from
 * @param validation what it is judged by on the way
 */
public record Split(Subset training, Subset validation) {
  /**
   * Every {@code interval}-th picture of each class, the last of each full interval, becomes
   * validation; the same whatever the seed.
   *
   * @param interval at least 2
   * @throws InputException if the interval is smaller, or no class has that many pictures
   */
  public static Split everyKth(Dataset base, int interval) {
    if (interval < 2) {
      throw new InputException("validation interval: found " + interval + ", expected at least 2");
    }
    int[] rank = Subset.ranks(base);
    Subset validation = Subset.where(base, i -> rank[i] % interval == interval - 1);
    if (validation.size() == 0) {
      throw new InputException(
          "validation interval: found " + interval + ", but no class has that many pictures");
    }
    return new Split(Subset.where(base, i -> rank[i] % interval != interval - 1), validation);
  }
}
