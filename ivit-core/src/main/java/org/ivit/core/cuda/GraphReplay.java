package org.ivit.core.cuda;

import com.sun.jna.Pointer;
import com.sun.jna.ptr.PointerByReference;
import java.util.List;

/** Launches as a CUDA graph, with a stream and pinned memory of its own. */
final class GraphReplay implements Device.Replay {
  private static final int STREAM_NON_BLOCKING = 1;

  /** Other threads may call the driver while this one captures. */
  private static final int CAPTURE_THREAD_LOCAL = 1;

  private final DriverDevice device;
  private final DriverCalls calls;
  private Pointer stream;
  private Pointer graph;
  private Pointer executable;
  private final Pinned input = new Pinned();
  private final Pinned output = new Pinned();

  /** Memory that the GPU copies from without a detour. */
  private final class Pinned {
    private Pointer address;
    private long bytes;

    /** At least so many bytes. */
    Pointer of(Driver driver, long wanted) {
      if (wanted > bytes) {
        calls.check("cuMemFreeHost", free(driver));
        PointerByReference reference = new PointerByReference();
        calls.check("cuMemHostAlloc", driver.cuMemHostAlloc(reference, wanted, 0));
        address = reference.getValue();
        bytes = wanted;
      }
      return address;
    }

    int free(Driver driver) {
      Pointer old = address;
      address = null;
      bytes = 0;
      return old == null ? 0 : driver.cuMemFreeHost(old);
    }
  }

  GraphReplay(DriverDevice device, List<Launch> launches) {
    this.device = device;
    this.calls = device.calls();
    boolean done = false;
    try {
      capture(launches);
      done = true;
    } finally {
      if (!done) {
        release();
      }
    }
  }

  private void capture(List<Launch> launches) {
    Driver driver = device.enter();
    // A kernel's first use may load code, which a capture does not allow.
    launches.forEach(launch -> device.function(launch.kernel()));
    PointerByReference reference = new PointerByReference();
    calls.check("cuStreamCreate", driver.cuStreamCreate(reference, STREAM_NON_BLOCKING));
    stream = reference.getValue();
    calls.check(
        "cuStreamBeginCapture_v2", driver.cuStreamBeginCapture_v2(stream, CAPTURE_THREAD_LOCAL));
    boolean launched = false;
    try {
      launches.forEach(launch -> device.launch(launch, stream));
      launched = true;
    } finally {
      int code = driver.cuStreamEndCapture(stream, reference);
      graph = code == 0 ? reference.getValue() : null;
      if (launched) {
        calls.check("cuStreamEndCapture", code);
      }
    }
    calls.check(
        "cuGraphInstantiateWithFlags", driver.cuGraphInstantiateWithFlags(reference, graph, 0));
    executable = reference.getValue();
  }

  @Override
  public void run(
      byte[] codes,
      int from,
      long inputAddress,
      int count,
      long outputAddress,
      int[] results,
      int to,
      int resultCount) {
    Driver driver = device.enter();
    Pointer codesHost = input.of(driver, count);
    Pointer resultsHost = output.of(driver, 4L * resultCount);
    codesHost.write(0, codes, from, count);
    calls.check(
        "cuMemcpyHtoDAsync_v2",
        driver.cuMemcpyHtoDAsync_v2(inputAddress, codesHost, count, stream));
    calls.check("cuGraphLaunch", driver.cuGraphLaunch(executable, stream));
    calls.check(
        "cuMemcpyDtoHAsync_v2",
        driver.cuMemcpyDtoHAsync_v2(resultsHost, outputAddress, 4L * resultCount, stream));
    calls.check("cuStreamSynchronize", driver.cuStreamSynchronize(stream));
    resultsHost.read(0, results, to, resultCount);
  }

  @Override
  public void repeat(int times) {
    Driver driver = device.enter();
    for (int i = 0; i < times; i++) {
      calls.check("cuGraphLaunch", driver.cuGraphLaunch(executable, stream));
    }
    calls.check("cuStreamSynchronize", driver.cuStreamSynchronize(stream));
  }

  @Override
  public void close() {
    release();
  }

  /** Lets go of everything, whatever of it there is, and reports the first failure. */
  private void release() {
    Driver driver = device.enter();
    int[] codes = {
      executable == null ? 0 : driver.cuGraphExecDestroy(executable),
      graph == null ? 0 : driver.cuGraphDestroy(graph),
      stream == null ? 0 : driver.cuStreamDestroy_v2(stream),
      input.free(driver),
      output.free(driver)
    };
    String[] names = {
      "cuGraphExecDestroy", "cuGraphDestroy", "cuStreamDestroy_v2", "cuMemFreeHost", "cuMemFreeHost"
    };
    for (int i = 0; i < codes.length; i++) {
      calls.check(names[i], codes[i]);
    }
  }
}
