package org.ivit.core.engine.portable;

import java.util.ArrayList;
import java.util.List;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Part;
import org.ivit.core.engine.portable.BlockRunner.Picture;
import org.ivit.core.engine.portable.product.ExactProduct;
import org.ivit.core.graph.GraphVisitor;
import org.ivit.core.graph.IntegerAttentionPooling;
import org.ivit.core.graph.IntegerBlock;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.graph.IntegerHead;
import org.ivit.core.graph.IntegerMeanPooling;
import org.ivit.core.graph.IntegerMerging;
import org.ivit.core.graph.IntegerNorm;
import org.ivit.core.graph.IntegerStem;
import org.ivit.core.parallel.FreeList;
import org.ivit.core.parallel.WorkerPool;

/**
 * Runs one picture of a batch; used by several threads at once. The parts are cut into stages, runs
 * of blocks of one width: what is local to a token is one step from one attention to the next.
 * Norms and poolings behind the blocks follow one after the other, then the head.
 */
final class PortableForward implements GraphVisitor<Void> {
  private final WorkerPool pool;
  private final ExactProduct product;
  private final int classes;
  private final List<Stage> stages = new ArrayList<>();
  private final List<StreamKernel> endings = new ArrayList<>();
  private final FreeList<Picture[]> pictures = new FreeList<>(this::newPictures);
  private HeadKernel head;

  /** Tokens that what follows the blocks reads, from the first. */
  private int read;

  /** The stage that is under construction; null behind the blocks. */
  private StageEntry entry;

  private final List<IntegerBlock> blocks = new ArrayList<>();

  /** A run of blocks of one width, and what makes its tokens. */
  private record Stage(StageEntry entry, BlockKernels[] blocks, BlockRunner runner, Block site) {
    int tokens() {
      return site.tokens();
    }

    BlockKernels last() {
      return blocks[blocks.length - 1];
    }
  }

  PortableForward(IntegerGraph graph, WorkerPool pool, ExactProduct product) {
    this.pool = pool;
    this.product = product;
    this.classes = graph.architecture().classes();
    graph.parts().forEach(part -> part.accept(this));
  }

  @Override
  public Void stem(IntegerStem stem) {
    entry = new StemKernel(stem, product);
    return null;
  }

  @Override
  public Void block(IntegerBlock block) {
    if (entry == null) {
      throw new InputException(
          "engine cpu: %s: found a block behind a pool, expected none"
              .formatted(block.part().name()));
    }
    blocks.add(block);
    return null;
  }

  @Override
  public Void merging(IntegerMerging merging) {
    endStage();
    entry = new MergingKernel(merging, product);
    return null;
  }

  @Override
  public Void norm(IntegerNorm norm) {
    StreamNormKernel kernel = new StreamNormKernel(norm);
    if (entry != null && blocks.isEmpty()) {
      entry = kernel.behind(entry);
    } else {
      end(norm.part(), kernel);
    }
    return null;
  }

  @Override
  public Void meanPooling(IntegerMeanPooling pooling) {
    end(pooling.part(), new MeanPoolingKernel(pooling));
    return null;
  }

  @Override
  public Void attentionPooling(IntegerAttentionPooling pooling) {
    end(pooling.part(), new AttentionPoolingKernel(pooling, product));
    return null;
  }

  @Override
  public Void head(IntegerHead node) {
    endBlocks(node.part());
    head = new HeadKernel(node, product);
    return null;
  }

  private void end(Part part, StreamKernel kernel) {
    endBlocks(part);
    endings.add(kernel);
  }

  /** Ends the last stage, if that was not done yet. */
  private void endBlocks(Part next) {
    if (entry != null) {
      endStage();
      read = next.readTokens();
    }
  }

  private void endStage() {
    if (entry == null || blocks.isEmpty()) {
      throw new InputException("engine cpu: expected blocks before each merging, pool and head");
    }
    Block first = blocks.get(0).part();
    BlockRunner runner = new BlockRunner(pool, first, entry.inputs(), product);
    stages.add(new Stage(entry, BlockKernels.of(blocks, pool, product), runner, first));
    blocks.clear();
    entry = null;
  }

  /** Pictures that share all but their tokens: a stage reads one and writes the other. */
  private Picture[] newPictures() {
    int length = stages.stream().mapToInt(s -> s.tokens() * s.site.dim()).max().orElseThrow();
    Picture one = new Picture(new short[length], new byte[3 * length], new byte[length]);
    return stages.size() == 1
        ? new Picture[] {one}
        : new Picture[] {one, new Picture(new short[length], one.qkv(), one.context())};
  }

  /**
   * @param codes of the batch, [pictures][3][height][width]
   * @param index of the picture
   * @param answers of the batch, [pictures][classes]
   */
  void run(byte[] codes, int index, int[] answers) {
    pictures.with(lent -> forward(codes, index, lent, answers));
  }

  private void forward(byte[] codes, int index, Picture[] lent, int[] answers) {
    int last = stages.size() - 1;
    for (int i = 0; i <= last; i++) {
      Stage stage = stages.get(i);
      Picture before = lent[(i + 1) % lent.length];
      Picture picture = lent[i % lent.length];
      stage.runner.forRows(
          stage.tokens(),
          (from, n, scratch) -> {
            stage.entry.run(codes, index, from, n, before, picture, scratch);
            stage.runner.begin(stage.blocks[0], from, n, picture, scratch);
          });
      for (int b = 1; b < stage.blocks.length; b++) {
        BlockKernels block = stage.blocks[b - 1];
        BlockKernels next = stage.blocks[b];
        stage.runner.attention(block, stage.site.rowTokens(), picture);
        stage.runner.forRows(
            stage.tokens(),
            (from, n, scratch) -> {
              stage.runner.finish(block, from, n, picture, scratch);
              stage.runner.begin(next, from, n, picture, scratch);
            });
      }
      finish(stage, i < last ? stage.tokens() : read, picture);
    }
    BlockRunner runner = stages.get(last).runner;
    Picture picture = lent[last % lent.length];
    endings.forEach(kernel -> kernel.run(runner, picture));
    head.run(runner, picture, answers, index * classes);
  }

  /** Of the last block only the tokens that are read are finished. */
  private static void finish(Stage stage, int tokens, Picture picture) {
    BlockKernels block = stage.last();
    // In windows any token may come from any of them.
    int queries = stage.site.inOrder() ? tokens : stage.site.rowTokens();
    stage.runner.attention(block, queries, picture);
    stage.runner.forRows(
        tokens, (from, n, scratch) -> stage.runner.finish(block, from, n, picture, scratch));
  }

  /** Lets go of all buffers. */
  void clear() {
    pictures.clear();
    endings.forEach(StreamKernel::clear);
    head.clear();
    stages.forEach(stage -> stage.runner.clear());
  }
}
