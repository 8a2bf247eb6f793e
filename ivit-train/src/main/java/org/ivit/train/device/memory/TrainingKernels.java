package org.ivit.train.device.memory;

import org.ivit.core.cuda.Device;
import org.ivit.core.cuda.DriverDevice;
import org.ivit.core.cuda.Gpu;
import org.ivit.core.cuda.KernelImages;

/** The compiled kernels of training. */
public final class TrainingKernels {
  static final KernelImages IMAGES = new KernelImages(TrainingKernels.class, "/cuda/training/");

  private TrainingKernels() {}

  /**
   * Opens a GPU.
   *
   * @param gpu which
   * @throws org.ivit.core.InputException if there is no such GPU, no driver, or one that is too old
   */
  public static Device open(Gpu gpu) {
    return DriverDevice.open(IMAGES, gpu);
  }
}
