package org.ivit.train.device.pass;

import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Swin;
import org.ivit.train.operator.DropPath;
import org.ivit.train.parameter.EmbeddingShape;
import org.ivit.train.parameter.HeadShape;

/**
 * Makes the parts of a network in one precision. Of each, {@code from} is the index of its first
 * parameter in the network, and {@code input} the full name of the node that feeds it.
 */
public interface PartMaker {
  /** A ViT's patch embedding with leading tokens and positions. */
  DevicePart embedding(EmbeddingShape shape, int from);

  /** A Swin's patch embedding with its norm. */
  DevicePart normedEmbedding(EmbeddingShape shape, int from);

  /** A transformer block with stochastic depth of its two branches. */
  DevicePart block(Block site, String input, DropPath drop1, DropPath drop2, int from);

  /** The patch merging after a stage. */
  DevicePart merging(Swin.Stage stage, int from);

  /** Final norm and classifiers: of the leading tokens, or of the mean over all tokens. */
  HeadPart head(HeadShape shape, boolean pooled, String input, int from);
}
