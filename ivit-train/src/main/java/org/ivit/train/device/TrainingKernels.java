package org.ivit.train.device;

import org.ivit.core.cuda.KernelImages;

/** The compiled kernels of training. */
final class TrainingKernels {
  static final KernelImages IMAGES = new KernelImages(TrainingKernels.class, "/cuda/training/");

  private TrainingKernels() {}
}
