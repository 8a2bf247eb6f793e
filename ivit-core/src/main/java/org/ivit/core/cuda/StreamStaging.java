package org.ivit.core.cuda;

import com.sun.jna.Pointer;
import com.sun.jna.ptr.PointerByReference;
import java.nio.ByteBuffer;

/**
 * Copies in a stream of their own, which events tie to the launches of the device's default stream.
 */
final class StreamStaging implements Device.Staging {
  private static final int STREAM_NON_BLOCKING = 1;
  private static final int EVENT_DISABLE_TIMING = 2;

  private final DriverDevice device;
  private final DriverCalls calls;
  private final int bytes;
  private Pointer host;
  private Pointer stream;
  private Pointer copied;
  private Pointer released;
  private long address;

  StreamStaging(DriverDevice device, int bytes) {
    this.device = device;
    this.calls = device.calls();
    this.bytes = bytes;
    boolean done = false;
    try {
      open();
      done = true;
    } finally {
      if (!done) {
        letGo();
      }
    }
  }

  private void open() {
    Driver driver = device.enter();
    PointerByReference reference = new PointerByReference();
    calls.check(
        "cuMemHostAlloc of %d bytes".formatted(bytes), driver.cuMemHostAlloc(reference, bytes, 0));
    host = reference.getValue();
    calls.check("cuStreamCreate", driver.cuStreamCreate(reference, STREAM_NON_BLOCKING));
    stream = reference.getValue();
    copied = event(driver);
    released = event(driver);
    address = device.allocate(bytes);
  }

  private Pointer event(Driver driver) {
    PointerByReference reference = new PointerByReference();
    calls.check("cuEventCreate", driver.cuEventCreate(reference, EVENT_DISABLE_TIMING));
    return reference.getValue();
  }

  @Override
  public int bytes() {
    return bytes;
  }

  @Override
  public ByteBuffer host() {
    calls.check("cuEventSynchronize", device.enter().cuEventSynchronize(copied));
    return host.getByteBuffer(0, bytes);
  }

  @Override
  public void send(int count) {
    Driver driver = device.enter();
    // An event that was never recorded holds nothing up.
    calls.check("cuStreamWaitEvent", driver.cuStreamWaitEvent(stream, released, 0));
    calls.check("cuMemcpyHtoDAsync_v2", driver.cuMemcpyHtoDAsync_v2(address, host, count, stream));
    calls.check("cuEventRecord", driver.cuEventRecord(copied, stream));
  }

  @Override
  public long receive() {
    calls.check("cuStreamWaitEvent", device.enter().cuStreamWaitEvent(null, copied, 0));
    return address;
  }

  @Override
  public void release() {
    calls.check("cuEventRecord", device.enter().cuEventRecord(released, null));
  }

  @Override
  public void close() {
    device.current();
    int code = DirectDriver.cuStreamSynchronize(stream);
    letGo();
    calls.check("cuStreamSynchronize", code);
  }

  /** Lets go of everything, whatever of it there is, and reports the first failure. */
  private void letGo() {
    Driver driver = device.enter();
    int[] codes = {
      address == 0 ? 0 : driver.cuMemFree_v2(address),
      released == null ? 0 : driver.cuEventDestroy_v2(released),
      copied == null ? 0 : driver.cuEventDestroy_v2(copied),
      stream == null ? 0 : driver.cuStreamDestroy_v2(stream),
      host == null ? 0 : driver.cuMemFreeHost(host)
    };
    String[] names = {
      "cuMemFree_v2",
      "cuEventDestroy_v2",
      "cuEventDestroy_v2",
      "cuStreamDestroy_v2",
      "cuMemFreeHost"
    };
    for (int i = 0; i < codes.length; i++) {
      calls.check(names[i], codes[i]);
    }
  }
}
