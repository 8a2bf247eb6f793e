package org.ivit.core.engine.cuda;

import java.util.List;
import org.ivit.core.cuda.Device;
import org.ivit.core.cuda.Launch;

/** A part of a model on a device: its constants, and its launches. */
interface PartLayers {
  /**
   * Adds the launches, from what the part before left in the stream to the part's own stream in its
   * place.
   *
   * @param launches receives them
   * @param device of the launches
   * @param buffers of the forward pass
   * @param pictures number of pictures
   */
  void add(List<Launch> launches, Device device, PassBuffers buffers, int pictures);
}
