package org.ivit.train.operator.integer;

import org.ivit.core.architecture.AttentionPooling;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Head;
import org.ivit.core.architecture.MeanPooling;
import org.ivit.core.architecture.Merging;
import org.ivit.core.architecture.Norm;
import org.ivit.core.architecture.PartVisitor;
import org.ivit.core.architecture.Stem;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.operator.QuantizedOperator;
import org.ivit.train.parameter.PartSpec;

/**
 * The operators of a quantized network.
 *
 * @param spec of the part whose operator is wanted
 * @param scheme forms, widths, outlier channels
 */
public record QuantizedOperators(PartSpec spec, Scheme scheme)
    implements PartVisitor<QuantizedOperator> {
  /** A new operator of a part. */
  public static QuantizedOperator of(PartSpec spec, Scheme scheme) {
    return spec.part().accept(new QuantizedOperators(spec, scheme));
  }

  @Override
  public QuantizedOperator stem(Stem stem) {
    return new QuantizedStem(spec, stem, scheme);
  }

  @Override
  public QuantizedOperator block(Block block) {
    return new QuantizedBlock(spec, block, scheme);
  }

  @Override
  public QuantizedOperator merging(Merging merging) {
    return new QuantizedMerging(spec, merging, scheme);
  }

  @Override
  public QuantizedOperator norm(Norm norm) {
    return new QuantizedNorm(spec, norm, scheme);
  }

  @Override
  public QuantizedOperator meanPooling(MeanPooling pooling) {
    return new QuantizedMeanPooling(spec, pooling, scheme);
  }

  @Override
  public QuantizedOperator attentionPooling(AttentionPooling pooling) {
    return new QuantizedAttentionPooling(spec, pooling, scheme);
  }

  @Override
  public QuantizedOperator head(Head head) {
    return new QuantizedHead(spec, head, scheme);
  }
}
