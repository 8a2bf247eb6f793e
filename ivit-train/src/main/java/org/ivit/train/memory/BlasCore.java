package org.ivit.train.memory;

/**
 * The kernels of OpenBLAS. It chooses them when it is loaded, by the processor's number, and those
 * for AVX2 on AMD's newest (0.3.31: Zen 5), where AVX-512 multiplies more than twice as fast. The
 * environment variable {@code OPENBLAS_CORETYPE} says otherwise, and is set here where the user has
 * not: for Linux, by the native kernels, since Java cannot.
 */
public final class BlasCore {
  private static boolean named;

  private BlasCore() {}

  /** To be called before OpenBLAS is loaded; of no effect later, or without native kernels. */
  public static synchronized void prepare() {
    if (!named && !NativeRows.chosen().equals("java")) {
      NativeRows.nameBlasCore();
    }
    named = true;
  }
}
