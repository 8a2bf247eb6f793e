package org.ivit.train.distributed;

/** Computes the gradients of a run's steps, elsewhere. */
public interface GradientService extends AutoCloseable {
  /**
   * The gradient of a step, summed over its pictures.
   *
   * @param parameters of {@link org.ivit.train.network.TransformerNetwork#parameterVector()}
   * @param request which step
   * @throws org.ivit.core.InputException what a worker refused, a picture that cannot be read for
   *     example
   */
  GradientPart gradients(float[] parameters, StepRequest request);

  /** Returns in a few words on what it runs. */
  String description();

  @Override
  void close();
}
