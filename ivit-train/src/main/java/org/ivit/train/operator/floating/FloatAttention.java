package org.ivit.train.operator.floating;

import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Node;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.Gemm;
import org.ivit.train.memory.RealMatrix;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.Execution;

/**
 * Multi-head self-attention of the float network within one group of tokens, a window or the whole
 * picture; qkv is [tokens][(q|k|v), dim].
 */
public final class FloatAttention {
  private final int tokens;
  private final int dim;
  private final int heads;
  private final int headDim;
  private final double scale;
  private final Node scores;
  private final Node biased;

  /** Null where there are none. */
  private final RelativePositions positions;

  public FloatAttention(Block site, RelativePositions positions) {
    this.positions = positions;
    this.tokens = site.rowTokens();
    this.dim = site.dim();
    this.heads = site.heads();
    this.headDim = site.headDim();
    this.scale = 1 / Math.sqrt(headDim);
    this.scores = site.scores();
    this.biased = site.biased();
  }

  /** Numbers that the probabilities of a group take. */
  public int probabilities() {
    return heads * tokens * tokens;
  }

  /** Queries, keys or values of a head. */
  private RealMatrix rows(Reals qkv, int from) {
    return new RealMatrix(qkv, from, tokens, headDim, 3 * dim);
  }

  /**
   * Takes groups that lie one after the other.
   *
   * @param qkv [groups][tokens][3·dim]
   * @param p receives probabilities, [groups][heads][tokens][tokens]
   * @param context receives [groups][tokens][dim]
   */
  void forward(
      Execution run,
      Reals weights,
      Reals qkv,
      Reals p,
      Reals context,
      int groups,
      Buffers scratch) {
    int size = tokens * dim;
    for (int i = 0; i < groups; i++) {
      int pFrom = i * probabilities();
      forward(run, weights, qkv, i * 3 * size, p, pFrom, context, i * size, i, scratch);
    }
  }

  /**
   * @param group number of the group, counted through the pictures
   */
  private void forward(
      Execution run,
      Reals weights,
      Reals qkv,
      int qkvFrom,
      Reals p,
      int pFrom,
      Reals context,
      int at,
      int group,
      Buffers buffers) {
    Gemm gemm = run.gemm();
    double[] row = buffers.doubles("attention.row", tokens);
    for (int head = 0; head < heads; head++) {
      int q = qkvFrom + head * headDim;
      int pHead = pFrom + head * tokens * tokens;
      RealMatrix scored = new RealMatrix(p, pHead, tokens, tokens);
      gemm.multiply(scale, rows(qkv, q), rows(qkv, q + dim).transpose(), 0, scored);
      run.tapped(scores, p, pHead, tokens * tokens, 1);
      if (positions != null) {
        positions.addTo(weights, p, pHead, group, head, buffers);
        run.tapped(biased, p, pHead, tokens * tokens, 1);
      }
      FloatKernels.softmax(p, pHead, tokens, tokens, row);
      RealMatrix out = new RealMatrix(context, at + head * headDim, tokens, headDim, dim);
      gemm.multiply(1, scored, rows(qkv, q + 2 * dim), 0, out);
    }
  }

  /** Writes the gradient by qkv of groups, and collects that by the relative positions. */
  void backward(
      Gemm gemm, Reals qkv, Reals p, Reals gContext, Reals gQkv, int groups, Buffers scratch) {
    int size = tokens * dim;
    for (int i = 0; i < groups; i++) {
      int at = i * 3 * size;
      int pFrom = i * probabilities();
      backward(gemm, qkv, at, 1, p, pFrom, 1, gContext, i * size, gQkv, at, scratch);
    }
  }

  /**
   * Writes the gradient by qkv, and collects that by the relative positions.
   *
   * @param qkvScale what a number of {@code qkv} is worth: 1, or the scale of its codes
   * @param pScale what a number of {@code p} is worth: 1, or the scale of its codes
   */
  public void backward(
      Gemm gemm,
      Reals qkv,
      int qkvFrom,
      double qkvScale,
      Reals p,
      int pFrom,
      double pScale,
      Reals gContext,
      int gFrom,
      Reals gQkv,
      int gQkvFrom,
      Buffers buffers) {
    Reals g = buffers.reals("attention.g", tokens * tokens);
    RealMatrix byScores = new RealMatrix(g, 0, tokens, tokens);
    double[] probabilities = buffers.doubles("attention.p", tokens);
    double[] row = buffers.doubles("attention.row", tokens);
    for (int head = 0; head < heads; head++) {
      int q = qkvFrom + head * headDim;
      int gq = gQkvFrom + head * headDim;
      int pHead = pFrom + head * tokens * tokens;
      RealMatrix byContext = new RealMatrix(gContext, gFrom + head * headDim, tokens, headDim, dim);
      RealMatrix weighted = new RealMatrix(p, pHead, tokens, tokens).transpose();
      gemm.multiply(pScale, weighted, byContext, 0, rows(gQkv, gq + 2 * dim));
      gemm.multiply(qkvScale, byContext, rows(qkv, q + 2 * dim).transpose(), 0, byScores);
      FloatKernels.softmaxBackward(p, pHead, pScale, g, tokens, tokens, probabilities, row);
      if (positions != null) {
        positions.collect(g, head, buffers);
      }
      gemm.multiply(scale * qkvScale, byScores, rows(qkv, q + dim), 0, rows(gQkv, gq));
      RealMatrix byKeys = rows(gQkv, gq + dim);
      gemm.multiply(scale * qkvScale, byScores.transpose(), rows(qkv, q), 0, byKeys);
    }
  }
}
