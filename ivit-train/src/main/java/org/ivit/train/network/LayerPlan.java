package org.ivit.train.network;

import java.util.ArrayList;
import java.util.List;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Swin;
import org.ivit.core.graph.SchemeJson;
import org.ivit.train.layer.ClassificationHead;
import org.ivit.train.layer.NormedPatchEmbedding;
import org.ivit.train.layer.OperatorLayer;
import org.ivit.train.layer.PatchEmbedding;
import org.ivit.train.layer.PatchMerging;
import org.ivit.train.layer.PooledHead;
import org.ivit.train.layer.SwinBlock;
import org.ivit.train.layer.TransformerBlock;
import org.ivit.train.operator.NetworkParts;
import org.ivit.train.parameter.EmbeddingShape;
import org.ivit.train.parameter.HeadShape;

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
    Chain chain = new Chain(options);
    NetworkParts.visit(options.architecture(), options.stochasticDepth(), chain);
    return chain.plans;
  }

  /** Layers in the making. */
  private static final class Chain implements NetworkParts {
    private final Architecture architecture;
    private final String scheme;
    private final List<LayerPlan> plans = new ArrayList<>();

    Chain(NetworkOptions options) {
      this.architecture = options.architecture();
      this.scheme = options.scheme() == null ? null : SchemeJson.write(options.scheme()).toString();
    }

    private void add(String name, String prefix, OperatorLayer layer) {
      plans.add(new LayerPlan(name, prefix, layer));
    }

    private Swin swin() {
      return (Swin) architecture;
    }

    @Override
    public void embedding(EmbeddingShape shape) {
      add(EMBEDDING, "", new PatchEmbedding(shape, scheme));
    }

    @Override
    public void normedEmbedding(EmbeddingShape shape) {
      add(EMBEDDING, "", new NormedPatchEmbedding(swin(), scheme));
    }

    @Override
    public void block(Block site, String input, int block, double dropPath) {
      OperatorLayer layer =
          architecture instanceof Swin swin
              ? new SwinBlock(swin, block, dropPath, scheme)
              : new TransformerBlock(site, block, architecture.epsilon(), dropPath, scheme);
      add("block" + block, site.node(""), layer);
    }

    @Override
    public void merging(Swin.Stage stage) {
      PatchMerging merging = new PatchMerging(swin(), stage.index(), scheme);
      add("merging" + stage.index(), stage.downsample(), merging);
    }

    @Override
    public void head(HeadShape shape, boolean pooled, String input) {
      int depth = architecture.blocks().size();
      OperatorLayer layer =
          pooled
              ? new PooledHead(swin(), scheme)
              : new ClassificationHead(shape, depth, architecture.epsilon(), scheme);
      add(HEAD, "", layer);
    }
  }
}
