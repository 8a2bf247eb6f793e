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

  /** Tokens to logits. */
  R head(Head head);
}
