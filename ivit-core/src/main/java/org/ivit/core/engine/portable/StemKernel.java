package org.ivit.core.engine.portable;

import org.ivit.core.architecture.Stem;
import org.ivit.core.engine.portable.BlockRunner.Picture;
import org.ivit.core.engine.portable.BlockRunner.Rows;
import org.ivit.core.engine.portable.product.ExactProduct;
import org.ivit.core.graph.Embed;
import org.ivit.core.graph.IntegerStem;

/** Pixels to tokens. */
final class StemKernel implements StageEntry {
  private final Stem part;
  private final LinearKernel projection;
  private final Embed embed;
  private final Adder sum;
  private final NormKernel norm;

  StemKernel(IntegerStem stem, ExactProduct product) {
    part = stem.part();
    projection = new LinearKernel(stem.projection(), product);
    embed = stem.embed();
    sum = embed == null ? null : new Adder(embed.sum());
    norm = stem.norm() == null ? null : new NormKernel(stem.norm().constants());
  }

  @Override
  public int inputs() {
    return part.patchInputs();
  }

  @Override
  public void run(
      byte[] codes, int index, int from, int n, Picture before, Picture after, Rows scratch) {
    if (norm != null) {
      normed(codes, index, from, n, after.x(), scratch);
    } else {
      embedded(codes, index, from, n, after.x(), scratch);
    }
  }

  private void normed(byte[] codes, int index, int from, int n, short[] x, Rows scratch) {
    int dim = part.dim();
    unfold(codes, index, from, n, scratch.input());
    projection.to8(scratch.input(), 0, n, scratch.gemm(), scratch.norm(), 0);
    for (int i = 0; i < n * dim; i++) {
      scratch.branch()[i] = scratch.norm()[i];
    }
    for (int r = 0; r < n; r++) {
      norm.row(scratch.branch(), r * dim, x, (from + r) * dim);
    }
  }

  private void embedded(byte[] codes, int index, int from, int n, short[] x, Rows scratch) {
    int dim = part.dim();
    int leading = part.leadingTokens();
    int first = Math.max(from, leading);
    for (int i = from * dim; i < Math.min(from + n, leading) * dim; i++) {
      x[i] = embed.sum().add(embed.leading()[i], embed.position()[i]);
    }
    int count = from + n - first;
    if (count > 0) {
      unfold(codes, index, first - leading, count, scratch.input());
      projection.addTo16(
          scratch.input(),
          0,
          count,
          scratch.gemm(),
          scratch.branch(),
          sum,
          embed.position(),
          first * dim,
          x,
          first * dim);
    }
  }

  /** Cuts patches out of a picture, as rows of (channel, row, column). */
  private void unfold(byte[] codes, int index, int first, int count, byte[] out) {
    int width = part.image().width();
    int plane = part.image().area();
    int patch = part.patch();
    int columns = part.grid().width();
    int to = 0;
    for (int p = first; p < first + count; p++) {
      int corner = p / columns * patch * width + p % columns * patch;
      for (int c = 0; c < 3; c++) {
        int from = (index * 3 + c) * plane + corner;
        for (int y = 0; y < patch; y++) {
          System.arraycopy(codes, from + y * width, out, to, patch);
          to += patch;
        }
      }
    }
  }
}
