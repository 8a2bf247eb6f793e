package org.ivit.core.cuda;

import com.sun.jna.Pointer;
import com.sun.jna.ptr.PointerByReference;
import java.util.List;
import java.util.function.Consumer;

/** A CUDA graph, with a stream of its own. */
final class RecordedGraph implements AutoCloseable {
  private static final int STREAM_NON_BLOCKING = 1;

  /** Other threads may call the driver while this one captures. */
  private static final int CAPTURE_THREAD_LOCAL = 1;

  private final DriverDevice device;
  private final DriverCalls calls;
  private Pointer stream;
  private Pointer graph;
  private Pointer executable;

  /**
   * @param launches whose kernels the graph has
   * @param body puts them into a stream, and copies besides
   */
  RecordedGraph(DriverDevice device, List<Launch> launches, Consumer<Pointer> body) {
    this.device = device;
    this.calls = device.calls();
    boolean done = false;
    try {
      capture(launches, body);
      done = true;
    } finally {
      if (!done) {
        close();
      }
    }
  }

  private void capture(List<Launch> launches, Consumer<Pointer> body) {
    Driver driver = device.enter();
    // A kernel's first use may load code, which a capture does not allow.
    launches.forEach(launch -> device.function(launch.kernel()));
    PointerByReference reference = new PointerByReference();
    calls.check("cuStreamCreate", driver.cuStreamCreate(reference, STREAM_NON_BLOCKING));
    stream = reference.getValue();
    calls.check(
        "cuStreamBeginCapture_v2", driver.cuStreamBeginCapture_v2(stream, CAPTURE_THREAD_LOCAL));
    boolean captured = false;
    try {
      body.accept(stream);
      captured = true;
    } finally {
      int code = driver.cuStreamEndCapture(stream, reference);
      graph = code == 0 ? reference.getValue() : null;
      if (captured) {
        calls.check("cuStreamEndCapture", code);
      }
    }
    calls.check(
        "cuGraphInstantiateWithFlags", driver.cuGraphInstantiateWithFlags(reference, graph, 0));
    executable = reference.getValue();
  }

  /** Runs it so often, one after the other, and waits. */
  void run(int times) {
    device.current();
    for (int i = 0; i < times; i++) {
      calls.check("cuGraphLaunch", DirectDriver.cuGraphLaunch(executable, stream));
    }
    calls.check("cuStreamSynchronize", DirectDriver.cuStreamSynchronize(stream));
  }

  /** Lets go of everything, whatever of it there is, and reports the first failure. */
  @Override
  public void close() {
    Driver driver = device.enter();
    int[] codes = {
      executable == null ? 0 : driver.cuGraphExecDestroy(executable),
      graph == null ? 0 : driver.cuGraphDestroy(graph),
      stream == null ? 0 : driver.cuStreamDestroy_v2(stream)
    };
    String[] names = {"cuGraphExecDestroy", "cuGraphDestroy", "cuStreamDestroy_v2"};
    for (int i = 0; i < codes.length; i++) {
      calls.check(names[i], codes[i]);
    }
  }
}
