package org.ivit.core.engine.portable;

import org.ivit.core.architecture.Block;
import org.ivit.core.engine.portable.product.ExactProduct;
import org.ivit.core.engine.portable.product.GemmScratch;
import org.ivit.core.engine.portable.product.IntGemm;
import org.ivit.core.parallel.FreeList;
import org.ivit.core.parallel.WorkerPool;

/**
 * Runs blocks of one width on one picture. Between two attentions everything is local to a token,
 * so a block takes two parallel steps: rows of tokens, then heads of groups. Tokens lie in the
 * order of the picture, queries, keys, values and contexts in the order of the windows. Buffers are
 * kept for reuse.
 */
final class BlockRunner {
  private final WorkerPool pool;
  private final ExactProduct product;
  private final Block site;
  private final int inputs;
  private final FreeList<Rows> rows = new FreeList<>(this::newRows);
  private final FreeList<AttentionKernel.Scratch> attention = new FreeList<>(this::newAttention);

  /**
   * What one picture needs.
   *
   * @param x 16-bit codes, [tokens][dim]
   */
  record Picture(short[] x, byte[] qkv, byte[] context) {}

  /**
   * What one thread needs for a block of rows.
   *
   * @param input codes that feed what comes before the blocks
   * @param wide 16-bit codes of the same
   * @param qkv codes that are brought into the order of windows
   * @param unrotated 16-bit codes of queries, keys and values that are turned
   * @param turned sums of a part of a row of them
   * @param products a row of those that are gated
   * @param gated a row of 16-bit codes that are normed
   */
  record Rows(
      GemmScratch gemm,
      byte[] input,
      short[] wide,
      byte[] norm,
      byte[] qkv,
      short[] unrotated,
      int[] turned,
      byte[] hidden,
      byte[] act,
      float[] products,
      short[] gated,
      short[] branch) {}

  /** What to do with {@code n} rows from {@code from}. */
  interface RowBody {
    void accept(int from, int n, Rows scratch);
  }

  /**
   * @param site one of the blocks
   * @param inputs input channels of the product that comes before the blocks
   * @param product multiplies
   */
  BlockRunner(WorkerPool pool, Block site, int inputs, ExactProduct product) {
    this.pool = pool;
    this.product = product;
    this.site = site;
    this.inputs = inputs;
  }

  private Rows newRows() {
    int n = Math.min(IntGemm.ROWS, site.tokens());
    int dim = site.dim();
    return new Rows(
        new GemmScratch(),
        new byte[n * inputs],
        new short[n * inputs],
        new byte[n * dim],
        new byte[site.windows() == null ? 0 : 3 * n * dim],
        new short[site.rotary() == null ? 0 : 3 * n * dim],
        new int[site.rotary() == null ? 0 : dim],
        new byte[n * site.hidden()],
        new byte[n * site.hidden()],
        new float[site.gated() ? site.hidden() : 0],
        new short[site.gatedNorm() ? site.hidden() : 0],
        new short[n * dim]);
  }

  private AttentionKernel.Scratch newAttention() {
    return new AttentionKernel.Scratch(site.rowTokens(), site.heads(), site.headDim(), product);
  }

  /** Gives every thread a run of rows, in even pieces of at most {@link IntGemm#ROWS}. */
  void forRows(int count, RowBody body) {
    pool.ranges(
        count,
        8,
        (from, to, part) ->
            rows.with(
                scratch -> {
                  int length = to - from;
                  int pieces = (length + IntGemm.ROWS - 1) / IntGemm.ROWS;
                  for (int i = 0; i < pieces; i++) {
                    int start = from + length * i / pieces;
                    body.accept(start, from + length * (i + 1) / pieces - start, scratch);
                  }
                }));
  }

  /** Everything of a block before its attention. */
  void begin(BlockKernels block, int from, int n, Picture picture, Rows scratch) {
    int dim = site.dim();
    for (int r = 0; r < n; r++) {
      block.norm1().row(picture.x, (from + r) * dim, scratch.norm, r * dim);
    }
    int[] places = block.places();
    if (block.rotation() != null) {
      turn(block, from, n, picture, scratch);
      return;
    }
    if (places == null) {
      block.qkv().to8(scratch.norm, 0, n, scratch.gemm, picture.qkv, from * 3 * dim);
      return;
    }
    block.qkv().to8(scratch.norm, 0, n, scratch.gemm, scratch.qkv, 0);
    for (int r = 0; r < n; r++) {
      int to = places[from + r] * 3 * dim;
      System.arraycopy(scratch.qkv, r * 3 * dim, picture.qkv, to, 3 * dim);
    }
  }

  private void turn(BlockKernels block, int from, int n, Picture picture, Rows scratch) {
    int width = 3 * site.dim();
    short[] wide = scratch.unrotated;
    block.qkv().to16(scratch.norm, 0, n, scratch.gemm, wide, 0);
    for (int r = 0; r < n; r++) {
      int token = from + r;
      block
          .rotation()
          .row(wide, r * width, token, site.dim(), scratch.turned, picture.qkv, token * width);
    }
  }

  /** Everything of a block after its attention. */
  void finish(BlockKernels block, int from, int n, Picture picture, Rows scratch) {
    int dim = site.dim();
    short[] x = picture.x;
    int at = from * dim;
    byte[] context = picture.context;
    int contextAt = at;
    if (block.places() != null) {
      gather(picture.context, block.places(), from, n, scratch.norm);
      context = scratch.norm;
      contextAt = 0;
    }
    block
        .proj()
        .addTo16(
            context, contextAt, n, scratch.gemm, scratch.branch, block.residual1(), x, at, x, at);
    for (int r = 0; r < n; r++) {
      block.norm2().row(x, at + r * dim, scratch.norm, r * dim);
    }
    block.hidden().run(n, scratch);
    block
        .fc2()
        .addTo16(scratch.act, 0, n, scratch.gemm, scratch.branch, block.residual2(), x, at, x, at);
  }

  private void gather(byte[] context, int[] places, int from, int n, byte[] out) {
    int dim = site.dim();
    for (int r = 0; r < n; r++) {
      System.arraycopy(context, places[from + r] * dim, out, r * dim, dim);
    }
  }

  /**
   * Whole rounds of heads go one head a thread; the queries of those that are left are split.
   *
   * @param queries how many queries of each group are needed, from the first
   */
  void attention(BlockKernels block, int queries, Picture picture) {
    int heads = site.heads();
    int all = site.groups() * heads;
    int whole = all / pool.threads() * pool.threads();
    int parts = pool.parts(queries, 16);
    pool.run(
        whole + (all - whole) * parts,
        task ->
            attention.with(
                scratch -> {
                  int rest = task - whole;
                  int part = rest < 0 ? 0 : rest % parts;
                  int of = rest < 0 ? 1 : parts;
                  int head = rest < 0 ? task : whole + rest / parts;
                  block
                      .attention()
                      .run(
                          picture.qkv,
                          head / heads,
                          head % heads,
                          queries * part / of,
                          queries * (part + 1) / of,
                          picture.context,
                          scratch);
                }));
  }

  /** Lets go of all buffers. */
  void clear() {
    rows.clear();
    attention.clear();
  }
}
