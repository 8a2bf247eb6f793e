package org.ivit.train.operator;

import org.ivit.core.architecture.Stem;
import org.ivit.train.memory.Reals;

/** The pixels of a picture as rows of patches. */
public final class PatchRows {
  private final Stem stem;

  /**
   * @param stem sizes
   */
  public PatchRows(Stem stem) {
    this.stem = stem;
  }

  /**
   * Where the pixels of row {@code row} of a patch's channel begin in a picture; a patch has as
   * many in a line as it is wide.
   */
  public int pixel(int patch, int channel, int row) {
    int y = patch / stem.grid().width() * stem.patch() + row;
    int x = patch % stem.grid().width() * stem.patch();
    return (channel * stem.image().height() + y) * stem.image().width() + x;
  }

  /** Copies the pixels of a picture. */
  public void unfold(Reals x, int from, Reals columns, int at) {
    int to = at;
    for (int p = 0; p < stem.patches(); p++) {
      for (int channel = 0; channel < 3; channel++) {
        for (int row = 0; row < stem.patch(); row++) {
          columns.put(to, x, from + pixel(p, channel, row), stem.patch());
          to += stem.patch();
        }
      }
    }
  }

  /** Refuses to compute a gradient by the pixels: {@code gx} must be null. */
  public static void requireNoGradient(Reals gx) {
    if (gx != null) {
      throw new IllegalArgumentException("the patch embedding has no gradient by its pixels");
    }
  }
}
