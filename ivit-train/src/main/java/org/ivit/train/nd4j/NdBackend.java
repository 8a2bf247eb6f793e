package org.ivit.train.nd4j;

import java.lang.reflect.Method;
import org.ivit.core.InputException;
import org.nd4j.common.config.ND4JClassLoading;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.factory.Nd4jBackend;

/**
 * Whether ND4J can compute here. Its CPU backend always can; its CUDA backend, in builds with the
 * profile {@code nd4j-cuda}, needs a GPU that it has machine code for and the libraries of CUDA.
 */
public final class NdBackend {
  private static final String CUDA = "org.nd4j.linalg.jcublas.";

  /** JavaCPP's binding of it, of which other builds have none. */
  private static final String CUDA_RUNTIME = "org.bytedeco.cuda.global.cudart";

  private static final int ATTRIBUTE_CAPABILITY_MAJOR = 75;
  private static final int ATTRIBUTE_CAPABILITY_MINOR = 76;

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
   * @throws InputException if its CUDA backend was built in and cannot run on this machine, or if
   *     there is no folder for its native libraries
   */
  public static synchronized void require() {
    if (started) {
      return;
    }
    LibraryFolder.require();
    for (Nd4jBackend backend : ND4JClassLoading.loadService(Nd4jBackend.class)) {
      if (backend.getClass().getName().startsWith(CUDA)) {
        // ND4J itself prints a stack trace where this fails, and says less.
        start(backend::canRun);
        start(() -> requireCode(Class.forName(CUDA_RUNTIME)));
        start(Nd4j::getBackend);
      }
    }
    started = true;
  }

  /** What may find that a library or a GPU is missing. */
  interface Start {
    void run() throws ReflectiveOperationException;
  }

  static void start(Start what) {
    try {
      what.run();
    } catch (InputException e) {
      throw e;
    } catch (ReflectiveOperationException | RuntimeException | LinkageError e) {
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

  /** Asks CUDA itself, before ND4J computes anything. */
  static void requireCode(Class<?> runtime) throws ReflectiveOperationException {
    int[] gpus = new int[1];
    runtime.getMethod("cudaGetDeviceCount", int[].class).invoke(null, gpus);
    Method attribute =
        runtime.getMethod("cudaDeviceGetAttribute", int[].class, int.class, int.class);
    for (int i = 0; i < gpus[0]; i++) {
      int[] major = new int[1];
      int[] minor = new int[1];
      attribute.invoke(null, major, ATTRIBUTE_CAPABILITY_MAJOR, i);
      attribute.invoke(null, minor, ATTRIBUTE_CAPABILITY_MINOR, i);
      if (10 * major[0] + minor[0] < OLDEST || major[0] > NEWEST_MAJOR) {
        throw new InputException(
            "ND4J's CUDA backend has no machine code for GPU %d of compute capability %d.%d; %s"
                .formatted(i, major[0], minor[0], NEEDS));
      }
    }
  }
}
