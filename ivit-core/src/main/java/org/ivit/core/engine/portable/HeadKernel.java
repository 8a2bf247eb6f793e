package org.ivit.core.engine.portable;

import org.ivit.core.architecture.Head;
import org.ivit.core.arithmetic.Pooling;
import org.ivit.core.engine.portable.BlockRunner.Picture;
import org.ivit.core.engine.portable.BlockRunner.Rows;
import org.ivit.core.engine.portable.product.ExactProduct;
import org.ivit.core.graph.IntegerHead;
import org.ivit.core.graph.Pool;
import org.ivit.core.parallel.FreeList;

/** Tokens to logits. */
final class HeadKernel {
  private final Head part;
  private final NormKernel norm;
  private final Pool pool;
  private final LinearKernel[] classifiers;
  private final FreeList<int[]> sums;

  HeadKernel(IntegerHead head, ExactProduct product) {
    part = head.part();
    norm = new NormKernel(head.norm().constants());
    pool = head.pool();
    classifiers =
        head.classifiers().stream()
            .map(linear -> new LinearKernel(linear, product))
            .toArray(LinearKernel[]::new);
    sums = new FreeList<>(() -> new int[part.classes()]);
  }

  /** Tokens that it reads, from the first. */
  int readTokens() {
    return part.readTokens();
  }

  /**
   * Classifies the first tokens of a picture.
   *
   * @param logits receives them from {@code at}
   */
  void classifyTokens(Picture picture, int[] logits, int at, Rows scratch) {
    for (int h = 0; h < classifiers.length; h++) {
      norm.row(picture.x(), h * part.dim(), scratch.norm(), 0);
      LinearKernel classifier = classifiers[h];
      if (h == 0) {
        classifier.to32(scratch.norm(), 0, scratch.gemm(), logits, at);
      } else {
        sums.with(
            other -> {
              classifier.to32(scratch.norm(), 0, scratch.gemm(), other, 0);
              for (int c = 0; c < other.length; c++) {
                logits[at + c] += other[c];
              }
            });
      }
    }
  }

  /** Whether it classifies the mean over all tokens. */
  boolean pooled() {
    return pool != null;
  }

  /** Classifies the mean over all tokens of a picture; logits go from {@code at} on. */
  void classifyMean(BlockRunner runner, Picture picture, int[] logits, int at) {
    int dim = part.dim();
    // Nobody reads queries, keys and values any more.
    byte[] normed = picture.qkv();
    runner.forRows(
        part.tokens(),
        (from, n, scratch) -> {
          for (int r = from; r < from + n; r++) {
            norm.row(picture.x(), r * dim, normed, r * dim);
          }
        });
    byte[] pooled = new byte[dim];
    for (int c = 0; c < dim; c++) {
      pooled[c] = Pooling.mean(normed, c, dim, pool.tokens(), pool.multiplier());
    }
    runner.forRows(
        1, (from, n, scratch) -> classifiers[0].to32(pooled, 0, scratch.gemm(), logits, at));
  }

  /** Lets go of all buffers. */
  void clear() {
    sums.clear();
  }
}
