package org.ivit.core.engine.cuda;

import org.ivit.core.cuda.Device;
import org.ivit.core.cuda.DeviceMemoryException;

/** The buffers and recorded launches for one number of pictures; one thread at a time. */
final class BatchRun implements AutoCloseable {
  private final Forward forward;
  private final int pictures;
  private final PassBuffers buffers = new PassBuffers();
  private final Device.Pass pass;

  /**
   * @param device to run on
   * @param forward model on it
   * @param pictures at least 1
   * @throws DeviceMemoryException if the buffers do not fit
   */
  BatchRun(Device device, Forward forward, int pictures) {
    this.forward = forward;
    this.pictures = pictures;
    forward.launches(buffers, pictures);
    forward.logits(buffers, pictures);
    buffers.allocate(device);
    Device.Pass recorded = null;
    try {
      recorded =
          device.record(forward.launches(buffers, pictures), forward.transfers(buffers, pictures));
    } finally {
      if (recorded == null) {
        buffers.close();
      }
    }
    pass = recorded;
  }

  int pictures() {
    return pictures;
  }

  /** Classifies the pictures from picture {@code first} on. */
  void run(byte[] codes, int first, int[] logits) {
    pass.run(codes, first * forward.pictureBytes(), logits, first * forward.classes());
  }

  @Override
  public void close() {
    pass.close();
    buffers.close();
  }
}
