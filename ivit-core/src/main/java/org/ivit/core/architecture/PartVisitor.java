package org.ivit.core.architecture;

/**
 * One case for each kind of {@link Part}.
 *
 * @param <R> what a case answers
 */
public interface PartVisitor<R> {
  /** Pixels to tokens. */
  R stem(Stem stem);

  /** Attention and MLP. */
  R block(Block block);

  /** Four tokens to one. */
  R merging(Merging merging);

  /** A norm of the stream. */
  R norm(Norm norm);

  /** The mean over patches. */
  R meanPooling(MeanPooling pooling);

  /** Attention of one query. */
  R attentionPooling(AttentionPooling pooling);

  /** Tokens to the answer. */
  R head(Head head);
}
