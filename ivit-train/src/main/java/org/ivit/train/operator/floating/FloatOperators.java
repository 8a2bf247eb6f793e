package org.ivit.train.operator.floating;

import org.ivit.core.architecture.AttentionPooling;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Head;
import org.ivit.core.architecture.MeanPooling;
import org.ivit.core.architecture.Merging;
import org.ivit.core.architecture.Norm;
import org.ivit.core.architecture.PartVisitor;
import org.ivit.core.architecture.Stem;
import org.ivit.train.operator.Operator;
import org.ivit.train.parameter.PartSpec;

/**
 * The operators of a network in floating point.
 *
 * @param spec of the part whose operator is wanted
 */
public record FloatOperators(PartSpec spec) implements PartVisitor<Operator> {
  /** A new operator of a part. */
  public static Operator of(PartSpec spec) {
    return spec.part().accept(new FloatOperators(spec));
  }

  @Override
  public Operator stem(Stem stem) {
    return new FloatStem(spec, stem);
  }

  @Override
  public Operator block(Block block) {
    return new FloatBlock(spec, block);
  }

  @Override
  public Operator merging(Merging merging) {
    return new FloatMerging(spec, merging);
  }

  @Override
  public Operator norm(Norm norm) {
    return new FloatStreamNorm(spec, norm);
  }

  @Override
  public Operator meanPooling(MeanPooling pooling) {
    return new FloatMeanPooling(spec, pooling);
  }

  @Override
  public Operator attentionPooling(AttentionPooling pooling) {
    return new FloatAttentionPooling(spec, pooling);
  }

  @Override
  public Operator head(Head head) {
    return new FloatHead(spec, head);
  }
}
