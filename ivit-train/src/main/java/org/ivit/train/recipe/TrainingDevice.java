package org.ivit.train.recipe;

/** Where steps are taken. */
public enum TrainingDevice {
  /** The processor. */
  CPU,
  /** An NVIDIA GPU: the first, or the one of {@code --gpu}. */
  CUDA
}
