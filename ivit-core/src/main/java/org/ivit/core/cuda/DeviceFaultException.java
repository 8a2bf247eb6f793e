package org.ivit.core.cuda;

/**
 * Something went wrong on a GPU that is there and whose driver does: a kernel read or wrote where
 * it must not, or the GPU itself failed. What the device holds is lost with it. No input mends it.
 */
public final class DeviceFaultException extends IllegalStateException {
  private static final long serialVersionUID = 1;

  /**
   * @param message what was called, and the error
   */
  DeviceFaultException(String message) {
    super(message + ": a fault on the GPU, not of the input");
  }

  /**
   * Whether an error of the driver is such a fault: memory that cannot be corrected, an address, an
   * instruction or an assertion of a kernel, one that ran too long or failed, or the unknown.
   */
  static boolean is(int code) {
    return switch (code) {
      case 214, 700, 702, 710, 714, 715, 716, 717, 718, 719, 999 -> true;
      default -> false;
    };
  }
}
