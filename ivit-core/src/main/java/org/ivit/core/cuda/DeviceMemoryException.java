package org.ivit.core.cuda;

import org.ivit.core.InputException;

/** The device has not enough memory left. */
public final class DeviceMemoryException extends InputException {
  private static final long serialVersionUID = 1;

  /**
   * @param message what was asked for, of which device
   */
  DeviceMemoryException(String message) {
    super(message);
  }
}
