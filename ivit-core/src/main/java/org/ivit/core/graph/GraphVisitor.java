package org.ivit.core.graph;

/**
 * One case for each kind of {@link GraphPart}.
 *
 * @param <R> what a case answers
 */
public interface GraphVisitor<R> {
  /** Pixels to tokens. */
  R stem(IntegerStem stem);

  /** Attention and MLP. */
  R block(IntegerBlock block);

  /** Four tokens to one. */
  R merging(IntegerMerging merging);

  /** A norm of the stream. */
  R norm(IntegerNorm norm);

  /** The mean over patches. */
  R meanPooling(IntegerMeanPooling pooling);

  /** Attention of one query. */
  R attentionPooling(IntegerAttentionPooling pooling);

  /** Tokens to the answer. */
  R head(IntegerHead head);
}
