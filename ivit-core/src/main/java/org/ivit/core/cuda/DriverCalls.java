package org.ivit.core.cuda;

import com.sun.jna.Native;
import com.sun.jna.Platform;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.IntByReference;
import com.sun.jna.ptr.PointerByReference;
import org.ivit.core.InputException;

/** The loaded driver, and the check of what its functions return. */
final class DriverCalls {
  /** The system property that names the driver's library, where it is not in its usual place. */
  static final String LIBRARY = "ivit.cuda.driver";

  private static final int OUT_OF_MEMORY = 2;

  private final Driver driver;
  private CudaVersion version;

  private DriverCalls(Driver driver) {
    this.driver = driver;
  }

  /**
   * Loads the driver and requires a version.
   *
   * @param needed least version of CUDA that it must support
   * @throws InputException if there is none, or an older one
   */
  static DriverCalls load(CudaVersion needed) {
    String library = System.getProperty(LIBRARY, Platform.isWindows() ? "nvcuda" : "libcuda.so.1");
    Driver driver;
    try {
      driver = Native.load(library, Driver.class);
    } catch (UnsatisfiedLinkError e) {
      throw new InputException(
          "engine cuda: no NVIDIA driver, %s does not load; needed is one for CUDA %s, %s"
              .formatted(library, needed, needed.driver()),
          e);
    }
    DriverCalls calls = new DriverCalls(driver);
    calls.require(needed);
    DirectDriver.bind(library);
    return calls;
  }

  private void require(CudaVersion needed) {
    IntByReference found = new IntByReference();
    check("cuDriverGetVersion", driver.cuDriverGetVersion(found));
    version = CudaVersion.ofDriver(found.getValue());
    if (version.compareTo(needed) < 0) {
      throw new InputException(
          "engine cuda: the NVIDIA driver is for CUDA %s; needed is one for CUDA %s, %s"
              .formatted(version, needed, needed.driver()));
    }
  }

  Driver driver() {
    return driver;
  }

  /** The version of CUDA that the driver is for. */
  CudaVersion version() {
    return version;
  }

  /**
   * @param call function that was called
   * @param code what it returned
   * @throws InputException naming the call and the error, if there was one
   * @throws DeviceFaultException where it is a fault of a kernel or of the GPU
   */
  void check(String call, int code) {
    check(call, code, "");
  }

  /**
   * As {@link #check(String, int)}, with what more is known of the error.
   *
   * @param more behind the error's text
   */
  void check(String call, int code, String more) {
    if (code == 0) {
      return;
    }
    String message = "engine cuda: %s: %s%s".formatted(call, error(code), more);
    if (DeviceFaultException.is(code)) {
      throw new DeviceFaultException(message);
    }
    throw code == OUT_OF_MEMORY ? new DeviceMemoryException(message) : new InputException(message);
  }

  private String error(int code) {
    PointerByReference name = new PointerByReference();
    PointerByReference text = new PointerByReference();
    driver.cuGetErrorName(code, name);
    driver.cuGetErrorString(code, text);
    return "%s (%d), %s".formatted(string(name), code, string(text));
  }

  private static String string(PointerByReference reference) {
    Pointer pointer = reference.getValue();
    return pointer == null ? "unknown" : pointer.getString(0);
  }
}
