package org.ivit.train.operator.integer;

import org.ivit.core.graph.NodeBuilder;
import org.ivit.core.graph.Scheme;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.QuantizedOperator;
import org.ivit.train.parameter.HeadShape;
import org.ivit.train.parameter.ParameterView;

/** The last operator of a quantized network. */
public abstract class IntegerHead extends QuantizedOperator {
  final HeadShape shape;
  final Scheme scheme;
  final QuantClassifier classifier;

  /**
   * @param rows that it reads of a picture
   */
  IntegerHead(HeadShape shape, int rows, Scheme scheme) {
    super(shape.parameters(), rows);
    this.shape = shape;
    this.scheme = scheme;
    this.classifier = new QuantClassifier(layout(), shape);
  }

  final NodeBuilder nodes(Reals weights) {
    return new NodeBuilder(ParameterView.of(layout(), "", weights), scheme);
  }

  /** The int32 logits of the last forward pass, [batch][classes]. */
  public final int[] logits() {
    return classifier.logits();
  }

  /** The scale of {@link #logits()}. */
  public final float logitScale() {
    return classifier.scale();
  }
}
