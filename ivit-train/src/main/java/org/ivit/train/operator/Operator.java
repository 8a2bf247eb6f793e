package org.ivit.train.operator;

import org.ivit.train.memory.Reals;
import org.ivit.train.parameter.ParameterLayout;

/**
 * A part of a network with parameters, on plain memory. An operator keeps what its backward pass
 * needs from the last forward pass in training, so it belongs to one network and one thread at a
 * time; inside, it uses the threads of the {@link Execution}.
 */
public interface Operator {
  /** Where its parameters lie in {@code weights} and {@code gradients}. */
  ParameterLayout layout();

  /**
   * Computes the output of a batch.
   *
   * @param weights all parameters, by {@link #layout()}
   * @param x input, a picture after the other
   * @param y output, a picture after the other
   * @param batch number of pictures
   * @param training whether a backward pass follows
   * @param run threads, scratch memory and what this step is about
   */
  void forward(Reals weights, Reals x, Reals y, int batch, boolean training, Execution run);

  /**
   * Computes the gradients of the last forward pass in training.
   *
   * @param weights as they were in the forward pass
   * @param x input of the forward pass
   * @param gy gradient of the loss by the output
   * @param gx where to write the gradient by the input; null where nobody wants it
   * @param gradients where to write the gradients by the parameters, summed over the batch
   * @param batch number of pictures
   * @param run threads and scratch memory
   */
  void backward(
      Reals weights, Reals x, Reals gy, Reals gx, Reals gradients, int batch, Execution run);
}
