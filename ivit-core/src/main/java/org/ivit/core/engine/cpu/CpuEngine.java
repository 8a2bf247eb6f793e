package org.ivit.core.engine.cpu;

import org.ivit.core.InputException;
import org.ivit.core.architecture.Vit;
import org.ivit.core.engine.Engine;
import org.ivit.core.graph.Embed;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.graph.VitGraph;
import org.ivit.core.parallel.WorkerPool;

/**
 * Portable Java on several threads. Between two attentions everything is local to a token, so a
 * picture takes two parallel steps a block: rows of tokens, then heads. Whole rounds of pictures go
 * one picture a thread; what is left of a batch is split over the threads picture by picture.
 *
 * <p>Holds the weights as float32, four bytes each. Buffers are kept for reuse.
 */
public final class CpuEngine implements Engine {
  private final VitGraph graph;
  private final WorkerPool pool;
  private final String why;
  private final LinearKernel patchEmbed;
  private final Adder embed;
  private final BlockKernels[] blocks;
  private final NormKernel norm;
  private final LinearKernel head;
  private final FreeList<Picture> pictures = new FreeList<>(this::newPicture);
  private final FreeList<Rows> rows = new FreeList<>(this::newRows);
  private final FreeList<AttentionKernel.Scratch> attention = new FreeList<>(this::newAttention);
  private volatile boolean closed;

  /** What one picture needs. */
  private record Picture(short[] x, byte[] qkv, byte[] context) {}

  /** What one thread needs for a block of rows. */
  private record Rows(
      GemmScratch gemm, byte[] patches, byte[] norm, byte[] hidden, byte[] act, short[] branch) {}

  /**
   * Uses the threads of the whole process.
   *
   * @param graph a vision transformer
   */
  public CpuEngine(IntegerGraph graph) {
    this(graph, WorkerPool.shared(), "asked for");
  }

  /**
   * @param graph a vision transformer
   * @param pool the threads to use; not closed with the engine
   * @param why why this engine was chosen, for {@link #description}
   */
  public CpuEngine(IntegerGraph graph, WorkerPool pool, String why) {
    this.graph = (VitGraph) graph;
    this.pool = pool;
    this.why = why;
    Vit a = this.graph.architecture();
    patchEmbed = new LinearKernel(this.graph.patchEmbed());
    embed = new Adder(this.graph.embed().sum());
    blocks = new BlockKernels[a.depth()];
    pool.run(a.depth(), i -> blocks[i] = BlockKernels.of(this.graph.blocks().get(i), a.tokens()));
    norm = new NormKernel(this.graph.norm().constants());
    head = new LinearKernel(this.graph.head());
  }

  private Picture newPicture() {
    Vit a = graph.architecture();
    int length = a.tokens() * a.dim();
    return new Picture(new short[length], new byte[3 * length], new byte[length]);
  }

  private Rows newRows() {
    Vit a = graph.architecture();
    int n = Math.min(IntGemm.ROWS, a.tokens());
    return new Rows(
        new GemmScratch(),
        new byte[n * a.patchInputs()],
        new byte[n * a.dim()],
        new byte[n * a.hidden()],
        new byte[n * a.hidden()],
        new short[n * a.dim()]);
  }

  private AttentionKernel.Scratch newAttention() {
    Vit a = graph.architecture();
    return new AttentionKernel.Scratch(a.tokens(), a.heads(), a.headDim());
  }

  @Override
  public String name() {
    return "cpu";
  }

  @Override
  public String description() {
    return "cpu: portable Java on %d threads (%s)".formatted(pool.threads(), why);
  }

  @Override
  public VitGraph graph() {
    return graph;
  }

  @Override
  public int[] logits(byte[] codes, int count) {
    if (closed) {
      throw new IllegalStateException("engine cpu is closed");
    }
    Vit a = graph.architecture();
    if (count < 1 || codes.length != count * 3L * a.image() * a.image()) {
      throw new InputException(
          "input: found "
              + codes.length
              + " codes for "
              + count
              + " pictures, expected "
              + 3L * a.image() * a.image()
              + " a picture");
    }
    int[] logits = new int[count * a.classes()];
    int whole = count / pool.threads() * pool.threads();
    pool.run(whole, i -> pictures.with(picture -> forward(codes, i, picture, logits)));
    for (int i = whole; i < count; i++) {
      int index = i;
      pictures.with(picture -> forward(codes, index, picture, logits));
    }
    return logits;
  }

  private void forward(byte[] codes, int index, Picture picture, int[] logits) {
    Vit a = graph.architecture();
    int last = a.depth() - 1;
    forRows(
        a.tokens(),
        (from, n, scratch) -> {
          embed(codes, index, from, n, picture, scratch);
          begin(blocks[0], from, n, picture, scratch);
        });
    for (int i = 0; i < last; i++) {
      BlockKernels block = blocks[i];
      BlockKernels next = blocks[i + 1];
      attention(block, a.tokens(), picture);
      forRows(
          a.tokens(),
          (from, n, scratch) -> {
            finish(block, from, n, picture, scratch);
            begin(next, from, n, picture, scratch);
          });
    }
    // Of the last block only the class token is read.
    attention(blocks[last], 1, picture);
    forRows(
        1,
        (from, n, scratch) -> {
          finish(blocks[last], 0, 1, picture, scratch);
          norm.row(picture.x, 0, scratch.norm, 0);
          head.to32(scratch.norm, 0, scratch.gemm, logits, index * a.classes());
        });
  }

  private interface RowBody {
    void accept(int from, int n, Rows scratch);
  }

  /** Gives every thread a run of rows, in even pieces of at most {@link IntGemm#ROWS}. */
  private void forRows(int count, RowBody body) {
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

  private void embed(byte[] codes, int index, int from, int n, Picture picture, Rows scratch) {
    Embed node = graph.embed();
    int dim = graph.architecture().dim();
    int first = from;
    if (from == 0) {
      for (int c = 0; c < dim; c++) {
        picture.x[c] = node.sum().add(node.classToken()[c], node.position()[c]);
      }
      first = 1;
    }
    int count = from + n - first;
    if (count > 0) {
      unfold(codes, index, first - 1, count, scratch.patches);
      patchEmbed.addTo16(
          scratch.patches,
          0,
          count,
          scratch.gemm,
          scratch.branch,
          embed,
          node.position(),
          first * dim,
          picture.x,
          first * dim);
    }
  }

  private void unfold(byte[] codes, int index, int first, int count, byte[] out) {
    Vit a = graph.architecture();
    int image = a.image();
    int patch = a.patch();
    int grid = image / patch;
    int to = 0;
    for (int p = first; p < first + count; p++) {
      int corner = p / grid * patch * image + p % grid * patch;
      for (int c = 0; c < 3; c++) {
        int plane = (index * 3 + c) * image * image + corner;
        for (int y = 0; y < patch; y++) {
          System.arraycopy(codes, plane + y * image, out, to, patch);
          to += patch;
        }
      }
    }
  }

  /** Everything of a block before its attention. */
  private void begin(BlockKernels block, int from, int n, Picture picture, Rows scratch) {
    int dim = graph.architecture().dim();
    for (int r = 0; r < n; r++) {
      block.norm1().row(picture.x, (from + r) * dim, scratch.norm, r * dim);
    }
    block.qkv().to8(scratch.norm, 0, n, scratch.gemm, picture.qkv, from * 3 * dim);
  }

  /** Everything of a block after its attention. */
  private void finish(BlockKernels block, int from, int n, Picture picture, Rows scratch) {
    int dim = graph.architecture().dim();
    int hidden = graph.architecture().hidden();
    short[] x = picture.x;
    int at = from * dim;
    block
        .proj()
        .addTo16(
            picture.context, at, n, scratch.gemm, scratch.branch, block.residual1(), x, at, x, at);
    for (int r = 0; r < n; r++) {
      block.norm2().row(x, at + r * dim, scratch.norm, r * dim);
    }
    block.fc1().to8(scratch.norm, 0, n, scratch.gemm, scratch.hidden, 0);
    for (int r = 0; r < n; r++) {
      block.gelu().row(scratch.hidden, r * hidden, scratch.act);
    }
    block
        .fc2()
        .addTo16(scratch.act, 0, n, scratch.gemm, scratch.branch, block.residual2(), x, at, x, at);
  }

  /**
   * Whole rounds of heads go one head a thread; the queries of those that are left are split.
   *
   * @param queries how many queries are needed, from the first
   */
  private void attention(BlockKernels block, int queries, Picture picture) {
    int heads = graph.architecture().heads();
    int whole = heads / pool.threads() * pool.threads();
    int parts = pool.parts(queries, 16);
    pool.run(
        whole + (heads - whole) * parts,
        task ->
            attention.with(
                scratch -> {
                  int rest = task - whole;
                  int part = rest < 0 ? 0 : rest % parts;
                  int of = rest < 0 ? 1 : parts;
                  block
                      .attention()
                      .run(
                          picture.qkv,
                          rest < 0 ? task : whole + rest / parts,
                          queries * part / of,
                          queries * (part + 1) / of,
                          picture.context,
                          scratch);
                }));
  }

  @Override
  public void close() {
    closed = true;
    pictures.clear();
    rows.clear();
    attention.clear();
  }
}
