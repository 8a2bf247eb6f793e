package org.ivit.train.layer;

import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.ivit.core.architecture.Swin;
import org.ivit.core.graph.SchemeJson;
import org.ivit.train.operator.Operator;
import org.ivit.train.operator.floating.FloatNormedEmbedding;
import org.ivit.train.operator.integer.QuantizedNormedEmbedding;
import org.ivit.train.parameter.EmbeddingShape;

/**
 * Patch embedding with a norm: normalised pixels [batch, 3, image, image] to [batch, patches, dim].
 */
public final class NormedPatchEmbedding extends SwinLayer {
  private static final long serialVersionUID = 1L;

  /** For Jackson. */
  public NormedPatchEmbedding() {}

  /**
   * @param architecture of the whole network
   * @param scheme JSON of {@link SchemeJson} for integers, null for floating point
   */
  public NormedPatchEmbedding(Swin architecture, String scheme) {
    super(3, architecture.dim(), architecture, scheme);
  }

  private EmbeddingShape shape() {
    Swin swin = swin();
    return new EmbeddingShape(swin.image(), swin.patch(), swin.dim());
  }

  @Override
  public Operator operator() {
    return quantized()
        ? new QuantizedNormedEmbedding(shape(), parsedScheme())
        : new FloatNormedEmbedding(shape(), swin().epsilon());
  }

  @Override
  public long[] outputShape(long[] input) {
    EmbeddingShape shape = shape();
    return new long[] {input[0], shape.patches(), shape.dim()};
  }

  @Override
  public boolean hasInputGradient() {
    return false;
  }

  @Override
  public InputType getOutputType(int layerIndex, InputType inputType) {
    EmbeddingShape shape = shape();
    return InputType.recurrent(shape.dim(), shape.patches(), RNNFormat.NWC);
  }

  @Override
  protected boolean canEqual(Object other) {
    return other instanceof NormedPatchEmbedding;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof NormedPatchEmbedding && super.equals(other);
  }

  @Override
  public int hashCode() {
    return super.hashCode();
  }
}
