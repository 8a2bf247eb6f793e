package org.ivit.core.engine.portable;

import org.ivit.core.architecture.AttentionPooling;
import org.ivit.core.engine.portable.BlockRunner.Picture;
import org.ivit.core.engine.portable.product.ExactProduct;
import org.ivit.core.engine.portable.product.GemmScratch;
import org.ivit.core.graph.IntegerAttentionPooling;
import org.ivit.core.parallel.FreeList;

/** Attention pooling: tokens to one token, which then passes an MLP. */
final class AttentionPoolingKernel implements StreamKernel {
  private final AttentionPooling part;
  private final NormKernel norm;
  private final LinearKernel scores;
  private final LinearKernel values;
  private final QueryAttentionKernel attention;
  private final LinearKernel proj;
  private final NormKernel norm2;
  private final LinearKernel fc1;
  private final GeluKernel gelu;
  private final LinearKernel fc2;
  private final Adder residual;
  private final FreeList<Token> free = new FreeList<>(Token::new);

  /** What the one token needs. */
  private final class Token {
    final byte[] context = new byte[part.dim()];
    final byte[] normed = new byte[part.dim()];
    final byte[] hidden = new byte[part.hidden()];
    final byte[] act = new byte[part.hidden()];
    final short[] branch = new short[part.dim()];
  }

  AttentionPoolingKernel(IntegerAttentionPooling pooling, ExactProduct product) {
    part = pooling.part();
    norm = new NormKernel(pooling.norm().constants());
    scores = new LinearKernel(pooling.scores(), product);
    values = new LinearKernel(pooling.values(), product);
    attention = new QueryAttentionKernel(pooling.attention(), part.tokens());
    proj = new LinearKernel(pooling.proj(), product);
    norm2 = new NormKernel(pooling.norm2().constants());
    fc1 = new LinearKernel(pooling.fc1(), product);
    gelu = new GeluKernel(pooling.gelu(), part.hidden());
    fc2 = new LinearKernel(pooling.fc2(), product);
    residual = new Adder(pooling.residual());
  }

  @Override
  public void run(BlockRunner runner, Picture picture) {
    int dim = part.dim();
    int heads = part.heads();
    // Nobody reads queries, keys, values and contexts of the blocks any more.
    byte[] valueCodes = picture.qkv();
    byte[] scoreCodes = picture.context();
    runner.forRows(
        part.tokens(),
        (from, n, scratch) -> {
          for (int r = 0; r < n; r++) {
            norm.row(picture.x(), (from + r) * dim, scratch.norm(), r * dim);
          }
          values.to8(scratch.norm(), 0, n, scratch.gemm(), valueCodes, from * dim);
          scores.to8(scratch.norm(), 0, n, scratch.gemm(), scoreCodes, from * heads);
        });
    runner.forRows(
        1,
        (from, n, scratch) ->
            free.with(
                token -> {
                  attention.run(scoreCodes, valueCodes, token.context);
                  finish(token, picture.x(), scratch.gemm());
                }));
  }

  /** From the context to the token, [dim] from {@code x[0]} on. */
  private void finish(Token token, short[] x, GemmScratch gemm) {
    proj.to16(token.context, 0, 1, gemm, x, 0);
    norm2.row(x, 0, token.normed, 0);
    fc1.to8(token.normed, 0, 1, gemm, token.hidden, 0);
    gelu.row(token.hidden, 0, token.act);
    fc2.addTo16(token.act, 0, 1, gemm, token.branch, residual, x, 0, x, 0);
  }

  @Override
  public void clear() {
    free.clear();
  }
}
