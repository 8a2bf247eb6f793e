package org.ivit.train.recipe;

/** Where steps are taken. */
public enum TrainingDevice {
  /** The processor. */
  CPU,
  /** An NVIDIA GPU, numbered by the property {@code ivit.device}. */
  CUDA
}
