package org.ivit.core.engine.cuda;

import org.ivit.core.cuda.Device;
import org.ivit.core.cuda.DeviceMemoryException;

/** The buffers and recorded launches for one number of pictures; one thread at a time. */
final class BatchRun implements AutoCloseable {
  private final Forward forward;
  private final int pictures;
  private final PassBuffers buffers = new PassBuffers();
  private final Device.Replay replay;

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
    Device.Replay recorded = null;
    try {
      recorded = device.record(forward.launches(buffers, pictures));
    } finally {
      if (recorded == null) {
        buffers.close();
      }
    }
    replay = recorded;
  }

  int pictures() {
    return pictures;
  }

  /** Classifies the pictures from picture {@code first} on. */
  void run(byte[] codes, int first, int[] logits) {
    replay.run(
        codes,
        first * forward.pictureBytes(),
        forward.pixels(buffers, pictures),
        pictures * forward.pictureBytes(),
        forward.logits(buffers, pictures),
        logits,
        first * forward.classes(),
        pictures * forward.classes());
  }

  @Override
  public void close() {
    replay.close();
    buffers.close();
  }
}
