package org.ivit.core.engine.portable;

import org.ivit.core.engine.portable.BlockRunner.Picture;
import org.ivit.core.engine.portable.BlockRunner.Rows;
import org.ivit.core.graph.IntegerNorm;

/** A norm of the stream, before the blocks or behind them. */
final class StreamNormKernel implements StreamKernel {
  private final NormKernel norm;
  private final int tokens;
  private final int dim;

  StreamNormKernel(IntegerNorm node) {
    norm = new NormKernel(node.norm().constants());
    tokens = node.part().tokens();
    dim = node.part().dim();
  }

  @Override
  public void run(BlockRunner runner, Picture picture) {
    runner.forRows(tokens, (from, n, scratch) -> rows(from, n, picture));
  }

  /** Norms some tokens of a picture in place. */
  private void rows(int from, int n, Picture picture) {
    for (int r = from; r < from + n; r++) {
      norm.row(picture.x(), r * dim, picture.x(), r * dim);
    }
  }

  /** The tokens of an entry, normed. */
  StageEntry behind(StageEntry entry) {
    return new StageEntry() {
      @Override
      public int inputs() {
        return entry.inputs();
      }

      @Override
      public void run(
          byte[] codes, int index, int from, int n, Picture before, Picture after, Rows scratch) {
        entry.run(codes, index, from, n, before, after, scratch);
        rows(from, n, after);
      }
    };
  }
}
