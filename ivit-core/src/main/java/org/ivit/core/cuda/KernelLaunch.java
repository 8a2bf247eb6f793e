package org.ivit.core.cuda;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;

/** Puts a launch into a stream. */
final class KernelLaunch {
  private static final int PROGRAMMATIC_STREAM_SERIALIZATION = 6;

  /** Bytes of a {@code CUlaunchAttribute}: its number, and its value from byte 8 on. */
  private static final int ATTRIBUTE_BYTES = 72;

  /** Bytes of a {@code CUlaunchConfig}. */
  private static final int CONFIG_BYTES = 32 + 2 * Native.POINTER_SIZE + 8;

  private static final int ARGUMENTS_AT = 16;

  private KernelLaunch() {}

  /** After all that is in the stream. */
  static int put(Pointer function, Launch launch, Pointer stream) {
    return DirectDriver.cuLaunchKernel(
        function,
        launch.gridX(),
        launch.gridY(),
        launch.gridZ(),
        launch.threads(),
        1,
        1,
        launch.sharedBytes(),
        stream,
        parameters(launch),
        null);
  }

  /**
   * By programmatic dependent launch: its blocks may be started while the kernel in front of it in
   * the stream still runs, and wait for that kernel's end themselves.
   */
  static int putBeside(Pointer function, Launch launch, Pointer stream) {
    // The attribute lies behind the configuration, in memory that lives as long.
    Memory config = new Memory(CONFIG_BYTES + ATTRIBUTE_BYTES);
    config.clear();
    config.write(
        0,
        new int[] {
          launch.gridX(),
          launch.gridY(),
          launch.gridZ(),
          launch.threads(),
          1,
          1,
          launch.sharedBytes()
        },
        0,
        7);
    config.setPointer(32, stream);
    config.setPointer(32 + Native.POINTER_SIZE, config.share(CONFIG_BYTES));
    config.setInt(32 + 2 * Native.POINTER_SIZE, 1);
    config.setInt(CONFIG_BYTES, PROGRAMMATIC_STREAM_SERIALIZATION);
    config.setInt(CONFIG_BYTES + 8, 1);
    return DirectDriver.cuLaunchKernelEx(config, function, parameters(launch), null);
  }

  /** An array of one address, and behind it what is there: the kernel's one parameter. */
  private static Memory parameters(Launch launch) {
    byte[] arguments = launch.arguments();
    Memory parameters = new Memory(ARGUMENTS_AT + arguments.length);
    parameters.setPointer(0, parameters.share(ARGUMENTS_AT));
    parameters.write(ARGUMENTS_AT, arguments, 0, arguments.length);
    return parameters;
  }
}
