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

  /** Tokens to logits. */
  R head(IntegerHead head);
}
