package org.ivit.train.layer;

import java.util.Arrays;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.ivit.core.InputException;

/**
 * A layer of one operator that works on rows, the last axis: [batch, nIn] to [batch, nOut], or
 * [batch, time, nIn] to [batch, time, nOut], which Deeplearning4j calls {@link RNNFormat#NWC}.
 * Before the first pass its ranges must be set, by {@link LayerRanges} or {@link LaggedRanges}.
 */
public abstract class RowLayer extends OperatorLayer {
  private static final long serialVersionUID = 1L;

  /** For Jackson. */
  protected RowLayer() {}

  /**
   * @param inputs length of an input row
   * @param outputs length of an output row
   */
  protected RowLayer(int inputs, int outputs) {
    this.nIn = inputs;
    this.nOut = outputs;
  }

  /** What its nodes are called. */
  protected String name() {
    return getLayerName() == null ? "layer" : getLayerName();
  }

  /** Length of an input row. */
  protected int inputs() {
    return Math.toIntExact(getNIn());
  }

  /** Length of an output row. */
  protected int outputs() {
    return Math.toIntExact(getNOut());
  }

  /**
   * @throws InputException if the last axis has another length than {@code nIn}
   */
  @Override
  public long[] outputShape(long[] input) {
    if (input[input.length - 1] != getNIn()) {
      throw new InputException(
          "%s: found an input of shape %s, expected a last axis of %s"
              .formatted(name(), Arrays.toString(input), getNIn()));
    }
    long[] shape = input.clone();
    shape[shape.length - 1] = getNOut();
    return shape;
  }

  /** The number of rows. */
  @Override
  public int batch(long[] input) {
    long rows = 1;
    for (int i = 0; i < input.length - 1; i++) {
      rows *= input[i];
    }
    return Math.toIntExact(rows);
  }

  /**
   * @throws InputException for anything but rows of {@code nIn} numbers
   */
  @Override
  public InputType getOutputType(int layerIndex, InputType inputType) {
    if (inputType instanceof InputType.InputTypeFeedForward rows && rows.getSize() == getNIn()) {
      return InputType.feedForward(getNOut());
    }
    if (inputType instanceof InputType.InputTypeRecurrent series
        && series.getSize() == getNIn()
        && series.getFormat() == RNNFormat.NWC) {
      return InputType.recurrent(getNOut(), series.getTimeSeriesLength(), RNNFormat.NWC);
    }
    throw new InputException(
        name()
            + ": found input type "
            + inputType
            + ", expected feedForward or recurrent in format NWC of size "
            + getNIn());
  }
}
