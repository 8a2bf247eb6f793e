package org.ivit.train.operator;

import org.ivit.core.architecture.LinearSpec;
import org.ivit.train.memory.Reals;

/**
 * Hears in the backward pass of a float network what went into each linear layer, beside the
 * gradient by what came out. It is called once or more a layer, for consecutive pictures; by
 * several threads at once where the batch is split.
 */
@FunctionalInterface
public interface LinearTap {
  /**
   * Takes the rows of a chunk of pictures.
   *
   * @param layer whose rows they are
   * @param x inputs, [rows][layer's inputs]; not to be changed
   * @param gy holds the gradient by the outputs, [rows][layer's outputs]; not to be changed
   * @param gyFrom its first element
   * @param rows number of rows
   */
  void at(LinearSpec layer, Reals x, Reals gy, int gyFrom, int rows);
}
