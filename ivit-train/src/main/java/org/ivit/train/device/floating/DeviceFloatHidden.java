package org.ivit.train.device.floating;

import org.ivit.train.device.pass.Pass;

/** What lies between an MLP's norm and its last product in the float network, on the device. */
interface DeviceFloatHidden extends AutoCloseable {
  /**
   * @param normed address of the norm's output, [rows][dim]; it lasts until the way back
   * @return address of [rows][hidden], which lasts until the way back
   */
  long forward(Pass pass, long normed, int rows);

  /**
   * @param normed as of the forward pass
   * @param gradient by the output, [rows][hidden]; its memory is free afterwards
   * @param gNorm receives that by the norm, [rows][dim]
   */
  void backward(Pass pass, long normed, long gradient, long gNorm, int rows);

  @Override
  void close();
}
