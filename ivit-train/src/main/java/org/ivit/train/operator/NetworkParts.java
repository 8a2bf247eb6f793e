package org.ivit.train.operator;

import java.util.List;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Swin;
import org.ivit.core.architecture.Vit;
import org.ivit.core.graph.NodeNames;
import org.ivit.train.parameter.EmbeddingShape;
import org.ivit.train.parameter.HeadShape;

/** Hears of the parts that a network is a chain of, in their order. */
public interface NetworkParts {
  /** A ViT's patch embedding with leading tokens and positions. */
  void embedding(EmbeddingShape shape);

  /** A Swin's patch embedding with its norm. */
  void normedEmbedding(EmbeddingShape shape);

  /**
   * A transformer block.
   *
   * @param input full name of the node that feeds it
   * @param block its number, from 0
   * @param dropPath rate of its stochastic depth
   */
  void block(Block site, String input, int block, double dropPath);

  /** The patch merging after a stage. */
  void merging(Swin.Stage stage);

  /**
   * Final norm and classifiers.
   *
   * @param pooled whether the mean over all tokens is classified, or the leading tokens are
   * @param input full name of the node that feeds it
   */
  void head(HeadShape shape, boolean pooled, String input);

  /**
   * Names the parts of a network.
   *
   * @param stochasticDepth rate of the last block; it grows linearly from 0 at the first
   */
  static void visit(Architecture architecture, double stochasticDepth, NetworkParts parts) {
    if (architecture instanceof Swin swin) {
      visit(swin, stochasticDepth, parts);
    } else {
      visit((Vit) architecture, stochasticDepth, parts);
    }
  }

  private static void visit(Vit vit, double stochasticDepth, NetworkParts parts) {
    parts.embedding(new EmbeddingShape(vit.image(), vit.patch(), vit.dim(), vit.leading()));
    List<Block> blocks = vit.blocks();
    for (int i = 0; i < blocks.size(); i++) {
      double rate = dropPath(stochasticDepth, i, blocks.size());
      parts.block(blocks.get(i), NodeNames.stream(i), i, rate);
    }
    HeadShape head = new HeadShape(vit.tokens(), vit.dim(), vit.classes(), vit.classifiers());
    parts.head(head, false, NodeNames.stream(blocks.size()));
  }

  private static void visit(Swin swin, double stochasticDepth, NetworkParts parts) {
    parts.normedEmbedding(new EmbeddingShape(swin.image(), swin.patch(), swin.dim()));
    int block = 0;
    String output = "";
    for (Swin.Stage stage : swin.stages()) {
      for (Block site : stage.blocks()) {
        double rate = dropPath(stochasticDepth, block, swin.blocks().size());
        parts.block(site, swin.streamInto(block), block, rate);
        block++;
      }
      if (stage.merges()) {
        parts.merging(stage);
      }
      output = stage.output();
    }
    HeadShape head = new HeadShape(swin.pooledTokens(), swin.features(), swin.classes());
    parts.head(head, true, output);
  }

  private static double dropPath(double last, int block, int depth) {
    return depth == 1 ? 0 : last * block / (double) (depth - 1);
  }
}
