package org.ivit.train.layer;

import org.ivit.core.InputException;
import org.nd4j.common.config.ND4JClassLoading;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.factory.Nd4jBackend;
import org.nd4j.nativeblas.NativeOps;
import org.nd4j.nativeblas.NativeOpsHolder;

/**
 * Whether ND4J can compute here. Its CPU backend always can; its CUDA backend, in builds with the
 * profile {@code nd4j-cuda}, needs a GPU that it has machine code for and the libraries of CUDA.
 */
public final class NdBackend {
  private static final String CUDA = "org.nd4j.linalg.jcublas.";
  private static final String NEEDS =
      "it needs an NVIDIA GPU of compute capability 3.7 to 8.x, its driver, and the libraries of"
          + " CUDA 11.6 (docs/nd4j-cuda.md)";

  /** Machine code of major version N runs on N.x only; ND4J's is for 3.7 up to 8.6. */
  private static final int OLDEST = 37;

  private static final int NEWEST_MAJOR = 8;

  private static boolean started;

  private NdBackend() {}

  /**
   * Starts ND4J, if it was not started.
   *
   * @throws InputException if its CUDA backend was built in and cannot run on this machine
   */
  public static synchronized void require() {
    if (started) {
      return;
    }
    for (Nd4jBackend backend : ND4JClassLoading.loadService(Nd4jBackend.class)) {
      if (backend.getClass().getName().startsWith(CUDA)) {
        // ND4J itself prints a stack trace where this fails, and says less.
        start(backend::canRun);
        start(Nd4j::getBackend);
        requireCode(NativeOpsHolder.getInstance().getDeviceNativeOps());
      }
    }
    started = true;
  }

  /** Does what ends with an error of any kind where a library or a GPU is missing. */
  static void start(Runnable what) {
    try {
      what.run();
    } catch (RuntimeException | LinkageError e) {
      throw new InputException("ND4J's CUDA backend does not start: " + cause(e) + "; " + NEEDS, e);
    }
  }

  private static String cause(Throwable e) {
    Throwable deepest = e;
    while (deepest.getCause() != null) {
      deepest = deepest.getCause();
    }
    String message = deepest.getMessage();
    return message == null || message.isBlank() ? deepest.toString() : message;
  }

  private static void requireCode(NativeOps gpus) {
    for (int i = 0; i < gpus.getAvailableDevices(); i++) {
      requireCode(gpus.getDeviceName(i), gpus.getDeviceMajor(i), gpus.getDeviceMinor(i));
    }
  }

  static void requireCode(String gpu, int major, int minor) {
    if (10 * major + minor < OLDEST || major > NEWEST_MAJOR) {
      throw new InputException(
          "ND4J's CUDA backend has no machine code for %s of compute capability %d.%d; %s"
              .formatted(gpu, major, minor, NEEDS));
    }
  }
}
