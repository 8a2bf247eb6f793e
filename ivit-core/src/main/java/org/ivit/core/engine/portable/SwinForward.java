package org.ivit.core.engine.portable;

import java.util.List;
import org.ivit.core.architecture.Swin;
import org.ivit.core.arithmetic.Pooling;
import org.ivit.core.engine.portable.BlockRunner.Picture;
import org.ivit.core.engine.portable.BlockRunner.Rows;
import org.ivit.core.graph.Pool;
import org.ivit.core.graph.SwinGraph;
import org.ivit.core.graph.SwinStage;
import org.ivit.core.parallel.WorkerPool;

/** A Swin on one picture. */
final class SwinForward implements PictureForward {
  private final Swin architecture;
  private final LinearKernel patchEmbed;
  private final NormKernel patchNorm;
  private final Stage[] stages;
  private final NormKernel norm;
  private final Pool pool;
  private final LinearKernel head;
  private final FreeList<Picture[]> pictures = new FreeList<>(this::newPictures);

  /** One stage; the merging before it is null in the first. */
  private record Stage(
      Swin.Stage site, BlockKernels[] blocks, BlockRunner runner, MergingKernel before) {}

  SwinForward(SwinGraph graph, WorkerPool threads) {
    architecture = graph.architecture();
    patchEmbed = new LinearKernel(graph.patchEmbed());
    patchNorm = new NormKernel(graph.patchNorm().constants());
    List<Swin.Stage> sites = architecture.stages();
    stages = new Stage[sites.size()];
    for (int i = 0; i < stages.length; i++) {
      SwinStage stage = graph.stages().get(i);
      Swin.Stage site = sites.get(i);
      int inputs = i == 0 ? architecture.patchInputs() : 4 * sites.get(i - 1).dim();
      stages[i] =
          new Stage(
              site,
              BlockKernels.of(stage.blocks(), threads),
              new BlockRunner(threads, site.blocks().get(0), inputs),
              i == 0
                  ? null
                  : new MergingKernel(graph.stages().get(i - 1).merging(), sites.get(i - 1)));
    }
    norm = new NormKernel(graph.norm().constants());
    pool = graph.pool();
    head = new LinearKernel(graph.head());
  }

  /** Two pictures that share all but their tokens: a merging reads one and writes the other. */
  private Picture[] newPictures() {
    int length = stages[0].site.tokens() * stages[0].site.dim();
    Picture one = new Picture(new short[length], new byte[3 * length], new byte[length]);
    return new Picture[] {one, new Picture(new short[length], one.qkv(), one.context())};
  }

  @Override
  public void run(byte[] codes, int index, int[] logits) {
    pictures.with(pair -> forward(codes, index, pair, logits));
  }

  private void forward(byte[] codes, int index, Picture[] pair, int[] logits) {
    for (int i = 0; i < stages.length; i++) {
      Stage stage = stages[i];
      Picture picture = pair[i % 2];
      Picture before = pair[1 - i % 2];
      stage.runner.forRows(
          stage.site.tokens(),
          (from, n, scratch) -> {
            if (stage.before == null) {
              embed(codes, index, from, n, picture, scratch);
            } else {
              stage.before.run(before.x(), from, n, picture.x(), scratch);
            }
            stage.runner.begin(stage.blocks[0], from, n, picture, scratch);
          });
      blocks(stage, picture);
    }
    Picture last = pair[(stages.length - 1) % 2];
    byte[] pooled = pool(last);
    stages[stages.length - 1].runner.forRows(
        1,
        (from, n, scratch) ->
            head.to32(pooled, 0, scratch.gemm(), logits, index * architecture.classes()));
  }

  private void blocks(Stage stage, Picture picture) {
    BlockRunner runner = stage.runner;
    int queries = stage.site.blocks().get(0).rowTokens();
    for (int i = 0; i < stage.blocks.length; i++) {
      BlockKernels block = stage.blocks[i];
      BlockKernels next = i + 1 < stage.blocks.length ? stage.blocks[i + 1] : null;
      runner.attention(block, queries, picture);
      runner.forRows(
          stage.site.tokens(),
          (from, n, scratch) -> {
            runner.finish(block, from, n, picture, scratch);
            if (next != null) {
              runner.begin(next, from, n, picture, scratch);
            }
          });
    }
  }

  private void embed(byte[] codes, int index, int from, int n, Picture picture, Rows scratch) {
    int dim = architecture.dim();
    PictureForward.unfold(architecture, codes, index, from, n, scratch.input());
    patchEmbed.to8(scratch.input(), 0, n, scratch.gemm(), scratch.norm(), 0);
    for (int i = 0; i < n * dim; i++) {
      scratch.branch()[i] = scratch.norm()[i];
    }
    for (int r = 0; r < n; r++) {
      patchNorm.row(scratch.branch(), r * dim, picture.x(), (from + r) * dim);
    }
  }

  private byte[] pool(Picture picture) {
    Stage stage = stages[stages.length - 1];
    int dim = stage.site.dim();
    // Nobody reads queries, keys and values any more.
    byte[] normed = picture.qkv();
    stage.runner.forRows(
        stage.site.tokens(),
        (from, n, scratch) -> {
          for (int r = from; r < from + n; r++) {
            norm.row(picture.x(), r * dim, normed, r * dim);
          }
        });
    byte[] pooled = new byte[dim];
    for (int c = 0; c < dim; c++) {
      pooled[c] = Pooling.mean(normed, c, dim, pool.tokens(), pool.multiplier());
    }
    return pooled;
  }

  @Override
  public void clear() {
    pictures.clear();
    for (Stage stage : stages) {
      stage.runner.clear();
    }
  }
}
