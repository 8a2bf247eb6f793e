package org.ivit.train.network;

import java.util.ArrayList;
import java.util.List;
import org.ivit.core.architecture.BlockSite;
import org.ivit.core.architecture.Swin;
import org.ivit.core.architecture.Vit;
import org.ivit.core.graph.SchemeJson;
import org.ivit.train.layer.ClassificationHead;
import org.ivit.train.layer.NormedPatchEmbedding;
import org.ivit.train.layer.OperatorLayer;
import org.ivit.train.layer.PatchEmbedding;
import org.ivit.train.layer.PatchMerging;
import org.ivit.train.layer.PooledHead;
import org.ivit.train.layer.SwinBlock;
import org.ivit.train.layer.TransformerBlock;
import org.ivit.train.operator.EmbeddingShape;
import org.ivit.train.operator.HeadShape;

/**
 * One layer of the chain that a network is.
 *
 * @param name in Deeplearning4j's graph
 * @param prefix of its parameters' timm names
 * @param layer its configuration
 */
record LayerPlan(String name, String prefix, OperatorLayer layer) {
  private static final String EMBEDDING = "embedding";
  private static final String HEAD = "head";

  /** The layers of a network, in order. */
  static List<LayerPlan> of(NetworkOptions options) {
    return options.architecture() instanceof Swin swin
        ? new Chain(options).swin(swin)
        : new Chain(options).vit((Vit) options.architecture());
  }

  /** Layers in the making. */
  private static final class Chain {
    private final NetworkOptions options;
    private final String scheme;
    private final int depth;
    private final List<LayerPlan> plans = new ArrayList<>();
    private int blocks;

    Chain(NetworkOptions options) {
      this.options = options;
      this.scheme = options.scheme() == null ? null : SchemeJson.write(options.scheme()).toString();
      this.depth = options.architecture().blocks().size();
    }

    private void add(String name, String prefix, OperatorLayer layer) {
      plans.add(new LayerPlan(name, prefix, layer));
    }

    private double dropPath() {
      return depth == 1 ? 0 : options.stochasticDepth() * blocks / (double) (depth - 1);
    }

    private void block(BlockSite site, OperatorLayer layer) {
      add("block" + blocks, site.node(""), layer);
      blocks++;
    }

    List<LayerPlan> vit(Vit vit) {
      double epsilon = vit.epsilon();
      EmbeddingShape shape = new EmbeddingShape(vit.image(), vit.patch(), vit.dim(), vit.leading());
      add(EMBEDDING, "", new PatchEmbedding(shape, scheme));
      for (BlockSite site : vit.blocks()) {
        block(site, new TransformerBlock(site, blocks, epsilon, dropPath(), scheme));
      }
      HeadShape head = new HeadShape(vit.tokens(), vit.dim(), vit.classes(), vit.classifiers());
      add(HEAD, "", new ClassificationHead(head, depth, epsilon, scheme));
      return plans;
    }

    List<LayerPlan> swin(Swin swin) {
      add(EMBEDDING, "", new NormedPatchEmbedding(swin, scheme));
      for (Swin.Stage stage : swin.stages()) {
        for (BlockSite site : stage.blocks()) {
          block(site, new SwinBlock(swin, blocks, dropPath(), scheme));
        }
        if (stage.merges()) {
          PatchMerging merging = new PatchMerging(swin, stage.index(), scheme);
          add("merging" + stage.index(), stage.downsample(), merging);
        }
      }
      add(HEAD, "", new PooledHead(swin, scheme));
      return plans;
    }
  }
}
