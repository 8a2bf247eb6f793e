package org.ivit.train.augment;

import java.util.Arrays;
import java.util.List;
import org.ivit.core.Size;

/**
 * How the pictures of a batch are mixed, each with the one at the same place counted from the
 * batch's end.
 *
 * @param mixes one a picture
 */
public record MixPlan(List<Mix> mixes) {
  /** Copies the list. */
  public MixPlan {
    mixes = List.copyOf(mixes);
  }

  /** The share of each picture's own label. */
  double[] shares() {
    return mixes.stream().mapToDouble(Mix::share).toArray();
  }

  /** Mixes a batch in place, [pictures][3][height][width]. */
  void apply(float[] pictures, Size size) {
    int length = 3 * size.area();
    for (int i = 0; i < (mixes.size() + 1) / 2; i++) {
      int j = mixes.size() - 1 - i;
      float[] before = Arrays.copyOfRange(pictures, i * length, (i + 1) * length);
      mixes.get(i).apply(pictures, i * length, pictures, j * length, size);
      if (j != i) {
        mixes.get(j).apply(pictures, j * length, before, 0, size);
      }
    }
  }
}
