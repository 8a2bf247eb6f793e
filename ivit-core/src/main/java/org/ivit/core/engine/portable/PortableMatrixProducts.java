package org.ivit.core.engine.portable;

import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.Products;
import org.ivit.core.engine.MatrixProducts;
import org.ivit.core.engine.portable.product.ExactProduct;
import org.ivit.core.engine.portable.product.IntGemm;
import org.ivit.core.parallel.FreeList;
import org.ivit.core.parallel.WorkerPool;

/** The matrix products on all threads of a pool, exact for all codes. */
public final class PortableMatrixProducts implements MatrixProducts {
  /** Sums of probabilities up to this one keep P·V exact in float32. */
  private static final long LARGEST_SUM = ExactProduct.LIMIT / 128;

  private final ExactProduct product = ExactProduct.fastest();
  private final WorkerPool pool;

  /** Uses the pool of the whole process. */
  public PortableMatrixProducts() {
    this(WorkerPool.shared());
  }

  /**
   * @param pool the threads to use
   */
  public PortableMatrixProducts(WorkerPool pool) {
    this.pool = pool;
  }

  @Override
  public int[] linear(
      byte[] x, int rows, byte[] weight, int[] bias, int inputs, OutlierChannels inputOutliers) {
    int[] acc = new int[rows * bias.length];
    new IntGemm(weight, bias.length, inputs, inputOutliers, product)
        .multiply(pool, x, rows, bias, acc);
    return acc;
  }

  @Override
  public int[] scores(byte[] qkv, int pictures, int tokens, int heads, int headDim) {
    int[] acc = new int[pictures * heads * tokens * tokens];
    FreeList<HeadProducts> free =
        new FreeList<>(() -> new HeadProducts(tokens, tokens, heads, headDim, product));
    pool.run(
        pictures * heads,
        task ->
            free.with(
                products -> {
                  int offset = task / heads * tokens * 3 * heads * headDim;
                  products.multiplyScores(qkv, offset, task % heads, 0, tokens);
                  transposeScores(products, tokens, acc, task * tokens * tokens);
                }));
    return acc;
  }

  private static void transposeScores(HeadProducts products, int tokens, int[] acc, int offset) {
    for (int q = 0; q < tokens; q++) {
      for (int k = 0; k < tokens; k++) {
        int sum = (int) products.scores[k][q];
        acc[offset + q * tokens + k] = products.before == null ? sum : sum + products.before[k][q];
      }
    }
  }

  @Override
  public int[] context(
      short[] probabilities, byte[] qkv, int pictures, int tokens, int heads, int headDim) {
    int[] acc = new int[pictures * tokens * heads * headDim];
    FreeList<HeadProducts> free =
        new FreeList<>(() -> new HeadProducts(tokens, tokens, heads, headDim, product));
    pool.run(
        pictures * heads,
        task ->
            free.with(
                products -> {
                  int picture = task / heads;
                  int head = task % heads;
                  int offset = picture * tokens * 3 * heads * headDim;
                  int rows = task * tokens * tokens;
                  int out = picture * tokens * heads * headDim + head * headDim;
                  if (load(probabilities, rows, tokens, products.scores)) {
                    products.multiplyContext(qkv, offset, head, tokens);
                    for (int q = 0; q < tokens; q++) {
                      for (int d = 0; d < headDim; d++) {
                        acc[out + q * heads * headDim + d] = (int) products.context[d][q];
                      }
                    }
                  } else {
                    int values = offset + (2 * heads + head) * headDim;
                    for (int q = 0; q < tokens; q++) {
                      for (int d = 0; d < headDim; d++) {
                        acc[out + q * heads * headDim + d] =
                            Products.context(
                                probabilities,
                                rows + q * tokens,
                                qkv,
                                values + d,
                                3 * heads * headDim,
                                tokens);
                      }
                    }
                  }
                }));
    return acc;
  }

  /** Transposes; false where a row is no softmax's and its products might not be exact. */
  private static boolean load(short[] probabilities, int offset, int tokens, float[][] columns) {
    for (int q = 0; q < tokens; q++) {
      long sum = 0;
      for (int k = 0; k < tokens; k++) {
        int p = probabilities[offset + q * tokens + k];
        columns[k][q] = p;
        sum += Math.abs(p);
      }
      if (sum > LARGEST_SUM) {
        return false;
      }
    }
    return true;
  }
}
