package org.ivit.train.step;

/** Vectors of a number a parameter that steps work on. */
public enum StepVector {
  /** What is trained. */
  PARAMETERS,
  /** First moments. */
  FIRST_MOMENTS,
  /** Second moments. */
  SECOND_MOMENTS,
  /** The moving average of the parameters. */
  AVERAGE,
  /** Gradients of the last step, summed over its pictures. */
  GRADIENTS
}
