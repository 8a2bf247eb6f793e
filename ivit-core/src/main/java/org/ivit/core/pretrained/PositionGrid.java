package org.ivit.core.pretrained;

import java.util.Arrays;
import org.ivit.core.Size;
import org.ivit.core.tensor.Tensor;

/** Position embeddings [1, prefix + rows · columns, dim] for another grid of patches. */
final class PositionGrid {
  private PositionGrid() {}

  /**
   * Resamples the patches' positions; those before them stay.
   *
   * @param positions F32, F16 or BF16
   * @param prefix tokens before the patches that have a position
   * @param grid of the new patches
   * @return F32; the same where the grid is the same; null where the old patches are no square, nor
   *     as many as the new ones
   */
  static Tensor fit(Tensor positions, int prefix, Size grid, GridResampling rule) {
    long[] shape = positions.shape();
    long patches = shape[1] - prefix;
    int side = root(patches);
    boolean sameCount = patches == grid.area();
    if (sameCount && (grid.isSquare() || side == 0)) {
      return positions;
    }
    if (side == 0) {
      return null;
    }
    int dim = (int) shape[2];
    float[] old = positions.floats();
    float[] resampled =
        rule.resample(
            Arrays.copyOfRange(old, prefix * dim, old.length),
            side,
            side,
            grid.height(),
            grid.width(),
            dim);
    float[] all = Arrays.copyOf(old, prefix * dim + resampled.length);
    System.arraycopy(resampled, 0, all, prefix * dim, resampled.length);
    return Tensor.of(all, 1, prefix + grid.area(), dim);
  }

  /** The root of a square; 0 of other numbers. */
  static int root(long square) {
    int root = (int) Math.rint(Math.sqrt((double) Math.max(0, square)));
    return (long) root * root == square ? root : 0;
  }
}
