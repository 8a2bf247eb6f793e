package org.ivit.core.engine.cuda;

import java.util.List;
import org.ivit.core.cuda.Device;
import org.ivit.core.cuda.Launch;

/** What makes the codes that an MLP's last product reads, and its launches. */
interface HiddenLayers {
  /**
   * Adds the launches.
   *
   * @param launches receives them
   * @param device of the launches
   * @param buffers of the forward pass
   * @param rows tokens
   * @param normed address of the norm's codes
   * @return address of codes in the order that the product reads
   */
  long add(List<Launch> launches, Device device, PassBuffers buffers, int rows, long normed);
}
