package org.ivit.core.engine.portable;

import java.util.ArrayList;
import java.util.List;
import org.ivit.core.architecture.Block;
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
 * Classifies one picture of a batch; used by several threads at once. The parts are cut into
 * stages, runs of blocks of one width: what is local to a token is one step from one attention to
 * the next.
 */
final class PortableForward implements GraphVisitor<Void> {
  private final WorkerPool pool;
  private final ExactProduct product;
  private final int classes;
  private final List<Stage> stages = new ArrayList<>();
  private final FreeList<Picture[]> pictures = new FreeList<>(this::newPictures);
  private HeadKernel head;

  /** The stage that is under construction. */
  private StageEntry entry;

  private final List<IntegerBlock> blocks = new ArrayList<>();

  /** A run of blocks of one width, and what makes its tokens. */
  private record Stage(StageEntry entry, BlockKernels[] blocks, BlockRunner runner, Block site) {
    int tokens() {
      return site.tokens();
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
    throw new UnsupportedOperationException("Norm");
  }

  @Override
  public Void meanPooling(IntegerMeanPooling pooling) {
    throw new UnsupportedOperationException("MeanPooling");
  }

  @Override
  public Void attentionPooling(IntegerAttentionPooling pooling) {
    throw new UnsupportedOperationException("AttentionPooling");
  }

  @Override
  public Void head(IntegerHead classifiers) {
    endStage();
    head = new HeadKernel(classifiers, product);
    return null;
  }

  private void endStage() {
    Block first = blocks.get(0).part();
    BlockRunner runner = new BlockRunner(pool, first, entry.inputs(), product);
    stages.add(new Stage(entry, BlockKernels.of(blocks, pool, product), runner, first));
    blocks.clear();
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
   * @param codes of the batch, [pictures][3][image][image]
   * @param index of the picture
   * @param logits of the batch, [pictures][classes]
   */
  void run(byte[] codes, int index, int[] logits) {
    pictures.with(lent -> forward(codes, index, lent, logits));
  }

  private void forward(byte[] codes, int index, Picture[] lent, int[] logits) {
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
      if (i < last || head.pooled()) {
        finishAll(stage, picture);
      }
    }
    Picture picture = lent[last % lent.length];
    if (head.pooled()) {
      head.classifyMean(stages.get(last).runner, picture, logits, index * classes);
    } else {
      finishRead(stages.get(last), picture, logits, index * classes);
    }
  }

  private static void finishAll(Stage stage, Picture picture) {
    BlockKernels block = stage.blocks[stage.blocks.length - 1];
    stage.runner.attention(block, stage.site.rowTokens(), picture);
    stage.runner.forRows(
        stage.tokens(),
        (from, n, scratch) -> stage.runner.finish(block, from, n, picture, scratch));
  }

  /** Of the last block only the tokens that the head reads are finished. */
  private void finishRead(Stage stage, Picture picture, int[] logits, int at) {
    BlockKernels block = stage.blocks[stage.blocks.length - 1];
    int read = head.readTokens();
    stage.runner.attention(block, read, picture);
    stage.runner.forRows(
        1,
        (from, n, scratch) -> {
          stage.runner.finish(block, 0, read, picture, scratch);
          head.classifyTokens(picture, logits, at, scratch);
        });
  }

  /** Lets go of all buffers. */
  void clear() {
    pictures.clear();
    head.clear();
    stages.forEach(stage -> stage.runner.clear());
  }
}
