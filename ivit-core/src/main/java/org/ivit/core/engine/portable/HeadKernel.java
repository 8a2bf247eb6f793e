package org.ivit.core.engine.portable;

import org.ivit.core.architecture.Head;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.core.engine.portable.BlockRunner.Picture;
import org.ivit.core.engine.portable.BlockRunner.Rows;
import org.ivit.core.engine.portable.product.ExactProduct;
import org.ivit.core.graph.IntegerHead;
import org.ivit.core.graph.Pool;
import org.ivit.core.parallel.FreeList;

/** Tokens to logits, or to a feature. */
final class HeadKernel {
  private final Head part;

  /** Null where the first token is the answer. */
  private final NormKernel norm;

  private final Pool pool;
  private final LinearKernel[] classifiers;
  private final FreeList<int[]> sums;

  HeadKernel(IntegerHead head, ExactProduct product) {
    part = head.part();
    norm = head.norm() == null ? null : new NormKernel(head.norm().constants());
    pool = head.pool();
    classifiers =
        head.classifiers().stream()
            .map(linear -> new LinearKernel(linear, product))
            .toArray(LinearKernel[]::new);
    sums = new FreeList<>(() -> new int[part.classes()]);
  }

  /**
   * @param runner of the blocks before it
   * @param picture whose tokens are read
   * @param answer receives the picture's from {@code at}
   */
  void run(BlockRunner runner, Picture picture, int[] answer, int at) {
    if (norm == null) {
      for (int c = 0; c < part.dim(); c++) {
        answer[at + c] = picture.x()[c];
      }
    } else if (part.pooled()) {
      pooled(runner, picture, answer, at);
    } else {
      runner.forRows(1, (from, n, scratch) -> classifyTokens(picture, answer, at, scratch));
    }
  }

  private void classifyTokens(Picture picture, int[] logits, int at, Rows scratch) {
    for (int h = 0; h < classifiers.length; h++) {
      norm.row(picture.x(), h * part.dim(), scratch.norm(), 0);
      LinearKernel classifier = classifiers[h];
      if (h == 0) {
        classifier.to32(scratch.norm(), 0, scratch.gemm(), logits, at);
      } else {
        add(classifier, scratch.norm(), logits, at, scratch);
      }
    }
  }

  private void add(LinearKernel classifier, byte[] x, int[] logits, int at, Rows scratch) {
    sums.with(
        other -> {
          classifier.to32(x, 0, scratch.gemm(), other, 0);
          for (int c = 0; c < other.length; c++) {
            logits[at + c] += other[c];
          }
        });
  }

  /** The mean over the tokens, classified, or their sum as a feature. */
  private void pooled(BlockRunner runner, Picture picture, int[] answer, int at) {
    int dim = part.dim();
    int leading = part.leadingTokens();
    // Nobody reads queries, keys and values any more.
    byte[] normed = picture.qkv();
    runner.forRows(
        part.pooledTokens(),
        (from, n, scratch) -> {
          for (int r = from; r < from + n; r++) {
            norm.row(picture.x(), (leading + r) * dim, normed, r * dim);
          }
        });
    int[] sum = new int[dim];
    for (int t = 0; t < part.pooledTokens(); t++) {
      for (int c = 0; c < dim; c++) {
        sum[c] += normed[t * dim + c];
      }
    }
    if (pool == null) {
      System.arraycopy(sum, 0, answer, at, dim);
      return;
    }
    byte[] first = part.tokenAndMean() ? new byte[dim] : null;
    if (first != null) {
      norm.row(picture.x(), 0, first, 0);
    }
    byte[] mean = new byte[dim];
    for (int c = 0; c < dim; c++) {
      mean[c] = Quantizer.clamp8(pool.multiplier().apply(sum[c]));
    }
    runner.forRows(
        1,
        (from, n, scratch) -> {
          if (first != null) {
            classifiers[0].to32(first, 0, scratch.gemm(), answer, at);
            add(classifiers[1], mean, answer, at, scratch);
          } else {
            classifiers[0].to32(mean, 0, scratch.gemm(), answer, at);
          }
        });
  }

  /** Lets go of all buffers. */
  void clear() {
    sums.clear();
  }
}
