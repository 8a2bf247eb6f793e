package org.ivit.core.cuda;

import com.sun.jna.Pointer;
import com.sun.jna.ptr.PointerByReference;
import java.util.List;

/** Launches between two copies as a CUDA graph, with the pinned memory that the copies need. */
final class GraphPass implements Device.Pass {
  private final DriverDevice device;
  private final DriverCalls calls;
  private final Transfers transfers;
  private Pointer input;
  private Pointer output;
  private RecordedGraph graph;

  GraphPass(DriverDevice device, List<Launch> launches, Transfers transfers) {
    this.device = device;
    this.calls = device.calls();
    this.transfers = transfers;
    boolean done = false;
    try {
      input = pinned(transfers.inputBytes());
      output = pinned(transfers.outputBytes());
      graph = new RecordedGraph(device, launches, stream -> put(launches, stream));
      done = true;
    } finally {
      if (!done) {
        close();
      }
    }
  }

  /** Memory that the GPU copies from and to without a detour. */
  private Pointer pinned(long bytes) {
    PointerByReference reference = new PointerByReference();
    calls.check("cuMemHostAlloc", device.enter().cuMemHostAlloc(reference, bytes, 0));
    return reference.getValue();
  }

  private void put(List<Launch> launches, Pointer stream) {
    Driver driver = device.enter();
    calls.check(
        "cuMemcpyHtoDAsync_v2",
        driver.cuMemcpyHtoDAsync_v2(transfers.input(), input, transfers.inputBytes(), stream));
    device.launchInOrder(launches, stream, true);
    calls.check(
        "cuMemcpyDtoHAsync_v2",
        driver.cuMemcpyDtoHAsync_v2(output, transfers.output(), transfers.outputBytes(), stream));
  }

  @Override
  public void run(byte[] codes, int from, int[] results, int to) {
    input.write(0, codes, from, transfers.inputBytes());
    graph.run(1);
    output.read(0, results, to, transfers.results());
  }

  /** Lets go of everything, whatever of it there is, and reports the first failure. */
  @Override
  public void close() {
    try {
      if (graph != null) {
        graph.close();
      }
    } finally {
      Driver driver = device.enter();
      int first = input == null ? 0 : driver.cuMemFreeHost(input);
      int second = output == null ? 0 : driver.cuMemFreeHost(output);
      calls.check("cuMemFreeHost", first);
      calls.check("cuMemFreeHost", second);
    }
  }
}
