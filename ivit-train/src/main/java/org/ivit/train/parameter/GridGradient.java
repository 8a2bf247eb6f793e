package org.ivit.train.parameter;

import org.ivit.core.graph.FloatWeights;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.core.weight.PackedBits;
import org.ivit.core.weight.WeightCodes;
import org.ivit.train.memory.Reals;

/**
 * From the gradient of a layer's dequantized weights to those of its weights and of the points of
 * their grid ({@code docs/arithmetic.md#straight-through-gradients}).
 */
public final class GridGradient {
  private final GridForm form;
  private final GridForm.Rounded rounded;
  private final WeightCodes codes;
  private final Reals weights;
  private final int weightFrom;
  private final int gridFrom;
  private final int outputs;
  private final int inputs;
  private final int points;

  /**
   * @param layout where the parameters lie
   * @param key of a matrix that has a grid
   * @param weights the parameters
   * @param codes of the matrix, quantized from them
   */
  public GridGradient(ParameterLayout layout, String key, Reals weights, WeightCodes codes) {
    ParameterLayout.Entry matrix = layout.entry(key);
    this.form = layout.grids().get(key);
    this.rounded = ParameterView.grid(layout, matrix, weights);
    this.codes = codes;
    this.weights = weights;
    this.weightFrom = matrix.from();
    this.gridFrom = layout.from(FloatWeights.gridName(key));
    this.outputs = rounded.scale().length;
    this.inputs = matrix.size() / outputs;
    this.points = form.points(inputs);
  }

  /**
   * Changes and fills in the gradients, a channel a task.
   *
   * @param gradients in which those of the dequantized weights lie
   * @param pool threads
   */
  public void apply(Reals gradients, WorkerPool pool) {
    pool.ranges(
        outputs,
        1,
        (from, to, part) -> {
          float[] weight = new float[inputs];
          byte[] indices = new byte[inputs];
          double[] gradient = new double[inputs];
          for (int c = from; c < to; c++) {
            int at = weightFrom + c * inputs;
            weights.get(at, weight, 0, inputs);
            gradients.get(at, gradient, 0, inputs);
            PackedBits.unpack(codes.stored(), c, codes.bits(), indices);
            double[] moved = new double[points];
            form.gradient(rounded, c, weight, indices, gradient, moved);
            gradients.put(at, gradient, 0, inputs);
            if (form.learned()) {
              gradients.put(gridFrom + c * points, moved, 0, points);
            }
          }
        });
  }
}
