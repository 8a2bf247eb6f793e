package org.ivit.train.layer;

import java.util.Objects;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.ivit.core.architecture.ArchitectureJson;
import org.ivit.core.architecture.NodeKind;
import org.ivit.core.architecture.Part;
import org.ivit.core.scheme.Scheme;
import org.ivit.core.scheme.SchemeJson;
import org.ivit.train.operator.Operator;
import org.ivit.train.operator.floating.FloatOperators;
import org.ivit.train.operator.integer.QuantizedOperators;
import org.ivit.train.parameter.PartSpec;

/**
 * A part of a network, in floating point or, with a quantization scheme, in integers: a stem takes
 * pixels [batch, 3, height, width], other parts tokens [batch, tokens, dim]; a head gives logits or
 * features [batch, classes], other parts tokens.
 */
public final class PartLayer extends OperatorLayer {
  private static final long serialVersionUID = 1L;

  private String part;
  private String scheme;
  private transient PartSpec parsedPart;
  private transient Scheme parsedScheme;

  /** For Jackson. */
  public PartLayer() {}

  /**
   * @param part what the layer is
   * @param scheme how it is quantized; null for floating point
   */
  public PartLayer(PartSpec part, Scheme scheme) {
    this.nIn = part.part().inputDim();
    this.nOut = part.part().outputDim();
    this.part = ArchitectureJson.text(part);
    this.scheme = scheme == null ? null : SchemeJson.write(scheme).toString();
  }

  private PartSpec spec() {
    if (parsedPart == null) {
      parsedPart = ArchitectureJson.read(part, PartSpec.class);
    }
    return parsedPart;
  }

  private Scheme quantization() {
    if (parsedScheme == null) {
      parsedScheme = SchemeJson.parse(scheme);
    }
    return parsedScheme;
  }

  @Override
  public Operator operator() {
    return scheme == null
        ? FloatOperators.of(spec())
        : QuantizedOperators.of(spec(), quantization());
  }

  private boolean givesLogits() {
    return spec().part().output().kind() == NodeKind.LOGITS;
  }

  @Override
  public long[] outputShape(long[] input) {
    Part of = spec().part();
    return givesLogits()
        ? new long[] {input[0], of.outputDim()}
        : new long[] {input[0], of.outputTokens(), of.outputDim()};
  }

  @Override
  public InputType getOutputType(int layerIndex, InputType inputType) {
    Part of = spec().part();
    return givesLogits()
        ? InputType.feedForward(of.outputDim())
        : InputType.recurrent(of.outputDim(), of.outputTokens(), RNNFormat.NWC);
  }

  @Override
  public boolean hasInputGradient() {
    return spec().input() != null;
  }

  /** Returns the {@link PartSpec} as JSON. */
  public String getPart() {
    return part;
  }

  /** Sets the {@link PartSpec} as JSON. */
  public void setPart(String part) {
    this.part = part;
  }

  /** Returns the quantization scheme as JSON, null for floating point. */
  public String getScheme() {
    return scheme;
  }

  /** Sets the quantization scheme as JSON, null for floating point. */
  public void setScheme(String scheme) {
    this.scheme = scheme;
  }

  @Override
  public boolean equals(Object other) {
    return super.equals(other)
        && other instanceof PartLayer that
        && Objects.equals(part, that.part)
        && Objects.equals(scheme, that.scheme);
  }

  @Override
  protected boolean canEqual(Object other) {
    return other instanceof PartLayer;
  }

  @Override
  public int hashCode() {
    return Objects.hash(super.hashCode(), part, scheme);
  }
}
