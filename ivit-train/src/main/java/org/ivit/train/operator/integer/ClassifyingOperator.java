package org.ivit.train.operator.integer;

import org.ivit.core.architecture.Head;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.LogitOperator;
import org.ivit.train.parameter.PartSpec;

/** The last operator of a quantized network. */
abstract class ClassifyingOperator extends QuantizedPartOperator implements LogitOperator {
  final Head shape;
  final QuantClassifier classifier;
  final QuantNorm norm;

  /**
   * @param rows that it reads of a picture
   */
  ClassifyingOperator(PartSpec spec, Head shape, int rows, Scheme scheme) {
    super(spec, rows, scheme);
    this.shape = shape;
    this.classifier = new QuantClassifier(spec, layout(), shape);
    this.norm = new QuantNorm(spec.prefix(), layout(), shape.norm(), shape.dim());
  }

  /** The scale of the logits, which follows from weights and ranges. */
  @Override
  public final float outputScale(Reals weights) {
    return nodes(weights).head(shape, scales(weights)).outputScale();
  }

  @Override
  public final int[] logits() {
    return classifier.logits();
  }

  @Override
  public final float logitScale() {
    return classifier.scale();
  }
}
