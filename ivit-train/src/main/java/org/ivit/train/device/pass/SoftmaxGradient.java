package org.ivit.train.device.pass;

import org.ivit.core.arithmetic.SoftmaxTable;
import org.ivit.core.cuda.Structure;

/**
 * The way back through a softmax of codes. Where codes are divided by the sum of their row, the
 * gradient's memory may hold the probabilities first.
 *
 * @param softmax that of the forward pass
 * @param probabilities address of its codes, [rows][length]
 * @param gradient address of float32, [rows][length]
 * @param scale of a code
 */
public record SoftmaxGradient(
    SoftmaxTable softmax, long probabilities, long gradient, double scale, long rows, int length) {
  private static final class SoftmaxBackwardArguments extends Structure {
    private final Field<Long> probabilities = address();
    private final Field<Long> gradient = address();
    private final Field<Long> values = address();
    private final Field<Double> scale = float64();
    private final Field<Long> rows = int64();
    private final Field<Integer> length = int32();
    private final Field<Integer> deferred = int32();
  }

  /** Puts the probabilities of a deferred softmax where the gradient will be. */
  public void values(Pass pass) {
    run(pass, "probabilities_of_codes");
  }

  /** From the gradient by the probabilities to that by the scores, in place. */
  public void backward(Pass pass) {
    run(pass, "softmax_backward");
  }

  private void run(Pass pass, String kernel) {
    boolean deferred = softmax.deferred();
    SoftmaxBackwardArguments a = new SoftmaxBackwardArguments();
    a.probabilities.set(probabilities);
    a.gradient.set(gradient);
    a.values.set(deferred ? gradient : 0);
    a.scale.set(scale);
    a.rows.set(rows);
    a.length.set(length);
    a.deferred.set(deferred ? 1 : 0);
    pass.warps(kernel, rows, a);
  }
}
