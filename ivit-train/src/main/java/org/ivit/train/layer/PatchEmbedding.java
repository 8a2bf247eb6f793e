package org.ivit.train.layer;

import java.util.List;
import java.util.Objects;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.ivit.train.operator.Operator;
import org.ivit.train.operator.floating.FloatEmbedding;
import org.ivit.train.operator.integer.QuantizedEmbedding;
import org.ivit.train.parameter.EmbeddingShape;

/**
 * Patch embedding with leading tokens and positions: normalised pixels [batch, 3, image, image] to
 * [batch, tokens, dim].
 */
public final class PatchEmbedding extends BlockLayer {
  private static final long serialVersionUID = 1L;

  private int image;
  private int patch;
  private int dim;
  private List<String> leading = List.of("cls_token");

  /** For Jackson. */
  public PatchEmbedding() {}

  /**
   * @param shape sizes
   * @param scheme JSON of {@link org.ivit.core.graph.SchemeJson} for integers, null for floating
   *     point
   */
  public PatchEmbedding(EmbeddingShape shape, String scheme) {
    super(3, shape.dim(), scheme);
    this.image = shape.image();
    this.patch = shape.patch();
    this.dim = shape.dim();
    this.leading = shape.leading();
  }

  private EmbeddingShape shape() {
    return new EmbeddingShape(image, patch, dim, leading);
  }

  @Override
  public Operator operator() {
    return quantized()
        ? new QuantizedEmbedding(shape(), parsedScheme())
        : new FloatEmbedding(shape());
  }

  @Override
  public long[] outputShape(long[] input) {
    return new long[] {input[0], shape().tokens(), dim};
  }

  @Override
  public boolean hasInputGradient() {
    return false;
  }

  @Override
  public InputType getOutputType(int layerIndex, InputType inputType) {
    return InputType.recurrent(dim, shape().tokens(), RNNFormat.NWC);
  }

  /** Returns the side of the picture in pixels. */
  public int getImage() {
    return image;
  }

  /** Sets the side of the picture in pixels. */
  public void setImage(int image) {
    this.image = image;
  }

  /** Returns the side of a patch in pixels. */
  public int getPatch() {
    return patch;
  }

  /** Sets the side of a patch in pixels. */
  public void setPatch(int patch) {
    this.patch = patch;
  }

  /** Returns the number of channels. */
  public int getDim() {
    return dim;
  }

  /** Sets the number of channels. */
  public void setDim(int dim) {
    this.dim = dim;
  }

  /** Returns the parameters of the tokens before the patches. */
  public List<String> getLeading() {
    return leading;
  }

  /** Sets the parameters of the tokens before the patches. */
  public void setLeading(List<String> leading) {
    this.leading = List.copyOf(leading);
  }

  @Override
  public boolean equals(Object other) {
    return super.equals(other)
        && other instanceof PatchEmbedding that
        && image == that.image
        && patch == that.patch
        && dim == that.dim
        && leading.equals(that.leading);
  }

  @Override
  protected boolean canEqual(Object other) {
    return other instanceof PatchEmbedding;
  }

  @Override
  public int hashCode() {
    return Objects.hash(super.hashCode(), image, patch, dim, leading);
  }
}
