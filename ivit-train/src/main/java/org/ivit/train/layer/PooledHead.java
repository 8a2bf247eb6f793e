package org.ivit.train.layer;

import java.util.List;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.ivit.core.architecture.Swin;
import org.ivit.core.graph.SchemeJson;
import org.ivit.train.operator.Operator;
import org.ivit.train.operator.floating.FloatPooledHead;
import org.ivit.train.operator.integer.QuantizedPooledHead;
import org.ivit.train.parameter.HeadShape;

/** Norm, mean over all tokens and classifier: [batch, tokens, dim] to [batch, classes]. */
public final class PooledHead extends SwinLayer {
  private static final long serialVersionUID = 1L;

  /** For Jackson. */
  public PooledHead() {}

  /**
   * @param architecture of the whole network
   * @param scheme JSON of {@link SchemeJson} for integers, null for floating point
   */
  public PooledHead(Swin architecture, String scheme) {
    super(architecture.features(), architecture.classes(), architecture, scheme);
  }

  @Override
  public Operator operator() {
    Swin swin = swin();
    HeadShape shape = new HeadShape(swin.pooledTokens(), swin.features(), swin.classes());
    List<Swin.Stage> stages = swin.stages();
    return quantized()
        ? new QuantizedPooledHead(shape, stages.get(stages.size() - 1).output(), parsedScheme())
        : new FloatPooledHead(shape, swin.epsilon());
  }

  @Override
  public long[] outputShape(long[] input) {
    return new long[] {input[0], getNOut()};
  }

  @Override
  public InputType getOutputType(int layerIndex, InputType inputType) {
    return InputType.feedForward(getNOut());
  }

  @Override
  protected boolean canEqual(Object other) {
    return other instanceof PooledHead;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof PooledHead && super.equals(other);
  }

  @Override
  public int hashCode() {
    return super.hashCode();
  }
}
