package org.ivit.core.cuda;

import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;

/**
 * The functions of {@link Driver} that every pass or every launch calls, as native methods, which
 * JNA calls without the detour of an interface. There is one library of them a process: the driver
 * that was loaded last.
 */
final class DirectDriver {
  private static String bound;

  private DirectDriver() {}

  /** Takes the functions from a library. */
  static synchronized void bind(String library) {
    if (!library.equals(bound)) {
      if (bound != null) {
        Native.unregister(DirectDriver.class);
      }
      Native.register(DirectDriver.class, NativeLibrary.getInstance(library));
      bound = library;
    }
  }

  static native int cuCtxSetCurrent(Pointer context);

  static native int cuGraphLaunch(Pointer executable, Pointer stream);

  static native int cuStreamSynchronize(Pointer stream);

  static native int cuLaunchKernel(
      Pointer function,
      int gridX,
      int gridY,
      int gridZ,
      int blockX,
      int blockY,
      int blockZ,
      int sharedBytes,
      Pointer stream,
      Pointer parameters,
      Pointer extra);

  static native int cuLaunchKernelEx(
      Pointer config, Pointer function, Pointer parameters, Pointer extra);
}
