package org.ivit.train.device.floating;

import org.ivit.train.device.memory.DeviceBuffers;
import org.ivit.train.device.pass.DevicePart;
import org.ivit.train.device.pass.NodeLayout;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.parameter.ParameterLayout;
import org.ivit.train.parameter.PartSpec;

/** A part of a float network on the device. */
abstract class FloatPart implements DevicePart {
  final NodeLayout layout;

  /** What lasts until the way back, and what the part hands on. */
  final DeviceBuffers kept;

  /**
   * @param pass what parts share
   * @param spec of the part
   * @param from index of the part's first parameter in the network
   */
  FloatPart(Pass pass, PartSpec spec, int from) {
    layout = NodeLayout.floating(spec, from);
    kept = new DeviceBuffers(pass.device);
  }

  @Override
  public final String prefix() {
    return layout.prefix();
  }

  @Override
  public final ParameterLayout layout() {
    return layout.layout();
  }

  @Override
  public void close() {
    kept.close();
  }
}
