package org.ivit.serve.protocol;

import java.util.List;

/**
 * What a client asks of a model.
 *
 * @param id what the answer repeats; null without one
 * @param pictures to be answered
 * @param outputs what it wants, at least one
 */
public record InferRequest(String id, Pictures pictures, List<Output> outputs) {
  /**
   * A tensor that is asked for.
   *
   * @param spec which
   * @param classes how many of the largest it names instead of giving all; 0 for all
   * @param binary whether it comes behind the JSON
   */
  public record Output(TensorSpec spec, int classes, boolean binary) {}
}
