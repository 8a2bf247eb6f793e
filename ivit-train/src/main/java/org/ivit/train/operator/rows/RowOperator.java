package org.ivit.train.operator.rows;

import org.ivit.core.scheme.Range;
import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.Gemm;
import org.ivit.train.memory.RealType;
import org.ivit.train.memory.Reals;
import org.ivit.train.operator.Chunk;
import org.ivit.train.operator.Execution;
import org.ivit.train.operator.QuantizedOperator;
import org.ivit.train.operator.RangeMode;
import org.ivit.train.operator.integer.Codes;
import org.ivit.train.parameter.NodeRanges;
import org.ivit.train.parameter.ParameterLayout;

/**
 * One of the paper's operators on its own, for use in any network. It works on rows, the last axis
 * of its input, so its batch is a number of rows. It quantizes its input by a range of its own,
 * computes in integers and gives dequantized codes; gradients pass straight through ({@code
 * docs/arithmetic.md#straight-through-gradients}).
 *
 * <p>A range that was never set is taken whole from the first batch in training in mode {@link
 * RangeMode#LAGGED}, as the published observer does; in any other pass it is an error that names
 * the node.
 */
abstract class RowOperator extends QuantizedOperator {
  /** Local names of the two nodes. */
  private static final String INPUT = "input";

  private static final String OUTPUT = "output";

  /** So large that no multiplier is refused, for a pass whose codes nobody reads. */
  private static final float OBSERVING_SCALE = 0x1p100f;

  private final String inputNode;
  private final String outputNode;
  private final int inputs;
  private final int inputBits;
  private final int outputs;
  private final int outputBits;
  private float inputScale;
  private float outputScale;

  /**
   * @param layout the operator's own parameters, to which the ranges are added
   * @param name of the operator, for node names and messages
   * @param inputs length of an input row
   * @param inputBits width of the input codes
   * @param outputNode what follows the name in the output node's name, or null where the scale of
   *     the output follows from the form
   * @param outputs length of an output row
   * @param outputBits width of the output codes
   */
  RowOperator(
      ParameterLayout layout,
      String name,
      int inputs,
      int inputBits,
      String outputNode,
      int outputs,
      int outputBits) {
    super(new NodeRanges(layout), 1);
    if (inputs < 1 || outputs < 1) {
      throw new IllegalArgumentException(
          name + ": rows of " + inputs + " to rows of " + outputs + ", expected at least 1");
    }
    this.inputNode = name + "." + INPUT;
    this.outputNode = outputNode == null ? null : name + "." + outputNode;
    this.inputs = inputs;
    this.inputBits = inputBits;
    this.outputs = outputs;
    this.outputBits = outputBits;
    ranges().add(INPUT, inputNode);
    if (outputNode != null) {
      ranges().add(OUTPUT, this.outputNode);
    }
  }

  /**
   * Builds the node of a pass.
   *
   * @param inputScale of the input codes
   * @param outputScale of the output codes, where they have a range
   */
  abstract void prepare(Reals weights, float inputScale, float outputScale, RealType type);

  /** The scale of the output codes where they have no range. */
  float fixedOutputScale() {
    throw new IllegalStateException("the scale of the output follows from its range");
  }

  /**
   * Computes rows of codes.
   *
   * @param x input codes, [rows][inputs]; kept for the backward pass
   * @param out receives output codes, [rows][outputs]
   * @param chunk which rows
   */
  abstract void forward(Gemm gemm, short[] x, short[] out, Chunk chunk);

  /**
   * Straight through.
   *
   * @param x input codes, [rows][inputs]
   * @param g gradient by the output, [rows][outputs]; may be overwritten
   * @param gradients added to
   * @param chunk as in the forward pass
   * @return gradient by the input, [rows][inputs]
   */
  abstract Reals backward(Gemm gemm, short[] x, Reals g, Reals gradients, Chunk chunk);

  @Override
  public final float outputScale(Reals weights) {
    return outputNode == null
        ? fixedOutputScale()
        : ranges().range(weights, outputNode).scale(outputBits);
  }

  @Override
  public final void forward(
      Reals weights, Reals x, Reals y, int rows, boolean training, Execution run) {
    boolean lagged = training && run.rangeMode() == RangeMode.LAGGED;
    begin(rows, training, run);
    if (lagged) {
      forEachChunk(rows, true, run, chunk -> observe(x, chunk));
    }
    inputScale = inputScale(weights, lagged);
    if (lagged && outputNode != null && !ranges().isSet(weights, outputNode)) {
      outputScale = OBSERVING_SCALE;
      pass(weights, x, y, rows, training, run);
      outputScale = seen().get(outputNode).scale(outputBits);
    } else {
      outputScale = outputScale(weights);
    }
    pass(weights, x, y, rows, training, run);
  }

  private void pass(Reals weights, Reals x, Reals y, int rows, boolean training, Execution run) {
    prepare(weights, inputScale, outputScale, run.type());
    forEachChunk(rows, training, run, chunk -> forward(weights, x, y, chunk, run));
  }

  private float inputScale(Reals weights, boolean lagged) {
    Range range =
        lagged && !ranges().isSet(weights, inputNode)
            ? seen().get(inputNode)
            : ranges().range(weights, inputNode);
    return range.scale(inputBits);
  }

  private void observe(Reals x, Chunk chunk) {
    int from = chunk.first() * inputs;
    int n = chunk.count() * inputs;
    float[] row = chunk.scratch().floats("observed", inputs);
    float min = Float.POSITIVE_INFINITY;
    float max = Float.NEGATIVE_INFINITY;
    for (int at = 0; at < n; at += inputs) {
      x.get(from + at, row, 0, inputs);
      for (int i = 0; i < inputs; i++) {
        min = Math.min(min, row[i]);
        max = Math.max(max, row[i]);
      }
    }
    chunk.seen().include(inputNode, min, max);
  }

  @Override
  protected final void forward(Reals weights, Reals x, Reals y, Chunk chunk, Execution run) {
    int count = chunk.count();
    Buffers scratch = chunk.scratch();
    int n = count * inputs;
    short[] in = chunk.keep().shorts("row.input", n);
    Codes.quantize(inputNode, x, chunk.first() * inputs, inputScale, inputBits, in, n, scratch);
    short[] out = scratch.shorts("row.output", count * outputs);
    forward(run.gemm(), in, out, chunk);
    Codes.dequantize(out, count * outputs, outputScale, y, chunk.first() * outputs, scratch);
  }

  @Override
  protected final void backward(
      Reals weights, Reals x, Reals gy, Reals gx, Reals gradients, Chunk chunk, Execution run) {
    int count = chunk.count();
    Reals g = chunk.scratch().reals("row.gradient", count * outputs);
    g.put(0, gy, chunk.first() * outputs, count * outputs);
    short[] in = chunk.keep().shorts("row.input", 0);
    Reals gInput = backward(run.gemm(), in, g, gradients, chunk);
    if (gx != null) {
      gx.put(chunk.first() * inputs, gInput, 0, count * inputs);
    }
  }
}
