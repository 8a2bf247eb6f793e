package org.ivit.core.engine.portable;

import org.ivit.core.architecture.Vit;
import org.ivit.core.engine.portable.BlockRunner.Picture;
import org.ivit.core.engine.portable.BlockRunner.Rows;
import org.ivit.core.graph.Embed;
import org.ivit.core.graph.VitGraph;
import org.ivit.core.parallel.WorkerPool;

/** A ViT on one picture. */
final class VitForward implements PictureForward {
  private final Vit architecture;
  private final Embed embed;
  private final LinearKernel patchEmbed;
  private final Adder embedSum;
  private final BlockKernels[] blocks;
  private final BlockRunner runner;
  private final NormKernel norm;
  private final LinearKernel[] heads;
  private final FreeList<int[]> sums;
  private final FreeList<Picture> pictures = new FreeList<>(this::newPicture);

  VitForward(VitGraph graph, WorkerPool pool) {
    architecture = graph.architecture();
    embed = graph.embed();
    patchEmbed = new LinearKernel(graph.patchEmbed());
    embedSum = new Adder(embed.sum());
    blocks = BlockKernels.of(graph.blocks(), pool);
    runner = new BlockRunner(pool, graph.blocks().get(0).site(), architecture.patchInputs());
    norm = new NormKernel(graph.norm().constants());
    heads = graph.heads().stream().map(LinearKernel::new).toArray(LinearKernel[]::new);
    sums = new FreeList<>(() -> new int[architecture.classes()]);
  }

  private Picture newPicture() {
    int length = architecture.tokens() * architecture.dim();
    return new Picture(new short[length], new byte[3 * length], new byte[length]);
  }

  @Override
  public void run(byte[] codes, int index, int[] logits) {
    pictures.with(picture -> forward(codes, index, picture, logits));
  }

  private void forward(byte[] codes, int index, Picture picture, int[] logits) {
    int tokens = architecture.tokens();
    int last = blocks.length - 1;
    runner.forRows(
        tokens,
        (from, n, scratch) -> {
          embed(codes, index, from, n, picture, scratch);
          runner.begin(blocks[0], from, n, picture, scratch);
        });
    for (int i = 0; i < last; i++) {
      BlockKernels block = blocks[i];
      BlockKernels next = blocks[i + 1];
      runner.attention(block, tokens, picture);
      runner.forRows(
          tokens,
          (from, n, scratch) -> {
            runner.finish(block, from, n, picture, scratch);
            runner.begin(next, from, n, picture, scratch);
          });
    }
    // Of the last block only the leading tokens are read.
    runner.attention(blocks[last], heads.length, picture);
    runner.forRows(
        1,
        (from, n, scratch) -> {
          runner.finish(blocks[last], 0, heads.length, picture, scratch);
          classify(picture, scratch, logits, index * architecture.classes());
        });
  }

  private void classify(Picture picture, Rows scratch, int[] logits, int at) {
    norm.row(picture.x(), 0, scratch.norm(), 0);
    heads[0].to32(scratch.norm(), 0, scratch.gemm(), logits, at);
    if (heads.length == 2) {
      norm.row(picture.x(), architecture.dim(), scratch.norm(), 0);
      sums.with(
          other -> {
            heads[1].to32(scratch.norm(), 0, scratch.gemm(), other, 0);
            for (int c = 0; c < other.length; c++) {
              logits[at + c] += other[c];
            }
          });
    }
  }

  private void embed(byte[] codes, int index, int from, int n, Picture picture, Rows scratch) {
    int dim = architecture.dim();
    int leading = architecture.leadingTokens();
    int first = Math.max(from, leading);
    for (int i = from * dim; i < Math.min(from + n, leading) * dim; i++) {
      picture.x()[i] = embed.sum().add(embed.leading()[i], embed.position()[i]);
    }
    int count = from + n - first;
    if (count > 0) {
      PictureForward.unfold(architecture, codes, index, first - leading, count, scratch.input());
      patchEmbed.addTo16(
          scratch.input(),
          0,
          count,
          scratch.gemm(),
          scratch.branch(),
          embedSum,
          embed.position(),
          first * dim,
          picture.x(),
          first * dim);
    }
  }

  @Override
  public void clear() {
    pictures.clear();
    sums.clear();
    runner.clear();
  }
}
