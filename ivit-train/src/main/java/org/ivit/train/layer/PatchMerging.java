package org.ivit.train.layer;

import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.ivit.core.architecture.Swin;
import org.ivit.core.graph.SchemeJson;
import org.ivit.train.operator.Operator;
import org.ivit.train.operator.floating.FloatMerging;
import org.ivit.train.operator.integer.QuantizedMerging;

/** Patch merging between two stages: [batch, tokens, dim] to [batch, tokens/4, 2·dim]. */
public final class PatchMerging extends SwinLayer {
  private static final long serialVersionUID = 1L;

  private int stage;

  /** For Jackson. */
  public PatchMerging() {}

  /**
   * @param architecture of the whole network
   * @param stage number of the stage that it follows
   * @param scheme JSON of {@link SchemeJson} for integers, null for floating point
   */
  public PatchMerging(Swin architecture, int stage, String scheme) {
    super(
        architecture.stages().get(stage).dim(),
        2 * architecture.stages().get(stage).dim(),
        architecture,
        scheme);
    this.stage = stage;
  }

  private Swin.Stage place() {
    return swin().stages().get(stage);
  }

  @Override
  public Operator operator() {
    Swin.Stage place = place();
    return quantized()
        ? new QuantizedMerging(place, place.output(), parsedScheme())
        : new FloatMerging(place, swin().epsilon());
  }

  @Override
  public long[] outputShape(long[] input) {
    Swin.Stage place = place();
    return new long[] {input[0], place.tokens() / 4, 2L * place.dim()};
  }

  @Override
  public InputType getOutputType(int layerIndex, InputType inputType) {
    Swin.Stage place = place();
    return InputType.recurrent(2L * place.dim(), place.tokens() / 4, RNNFormat.NWC);
  }

  /** Returns the number of the stage that it follows. */
  public int getStage() {
    return stage;
  }

  /** Sets the number of the stage that it follows. */
  public void setStage(int stage) {
    this.stage = stage;
  }

  @Override
  public boolean equals(Object other) {
    return super.equals(other) && other instanceof PatchMerging that && stage == that.stage;
  }

  @Override
  protected boolean canEqual(Object other) {
    return other instanceof PatchMerging;
  }

  @Override
  public int hashCode() {
    return 31 * super.hashCode() + stage;
  }
}
