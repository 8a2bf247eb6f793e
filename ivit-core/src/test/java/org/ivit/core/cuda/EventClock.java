package org.ivit.core.cuda;

import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.Platform;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.FloatByReference;
import com.sun.jna.ptr.PointerByReference;
import java.util.ArrayList;
import java.util.List;

/** Times what is launched, by CUDA events in the stream of launches. */
public final class EventClock implements AutoCloseable {
  /** Functions of the driver, as in {@link Driver}. */
  interface Events extends Library {
    int cuEventCreate(PointerByReference event, int flags);

    int cuEventRecord(Pointer event, Pointer stream);

    int cuEventSynchronize(Pointer event);

    int cuEventElapsedTime(FloatByReference milliseconds, Pointer start, Pointer end);

    int cuEventDestroy_v2(Pointer event);
  }

  private final DriverDevice device;
  private final Events events;
  private final List<Pointer> marks = new ArrayList<>();
  private int used;

  /**
   * @param device open, and open until this is closed
   */
  public EventClock(DriverDevice device) {
    this.device = device;
    String library =
        System.getProperty(DriverCalls.LIBRARY, Platform.isWindows() ? "nvcuda" : "libcuda.so.1");
    events = Native.load(library, Events.class);
  }

  /** Records the time at which all that was launched so far will have run. */
  public void mark() {
    device.enter();
    if (used == marks.size()) {
      PointerByReference event = new PointerByReference();
      check("cuEventCreate", events.cuEventCreate(event, 0));
      marks.add(event.getValue());
    }
    check("cuEventRecord", events.cuEventRecord(marks.get(used++), null));
  }

  /** Waits, and returns the milliseconds between each mark and the next; forgets the marks. */
  public double[] intervals() {
    device.enter();
    if (used == 0) {
      return new double[0];
    }
    check("cuEventSynchronize", events.cuEventSynchronize(marks.get(used - 1)));
    double[] intervals = new double[used - 1];
    FloatByReference time = new FloatByReference();
    for (int i = 0; i < intervals.length; i++) {
      check("cuEventElapsedTime", events.cuEventElapsedTime(time, marks.get(i), marks.get(i + 1)));
      intervals[i] = time.getValue();
    }
    used = 0;
    return intervals;
  }

  private void check(String call, int code) {
    device.calls().check(call, code);
  }

  @Override
  public void close() {
    device.enter();
    for (Pointer event : marks) {
      check("cuEventDestroy_v2", events.cuEventDestroy_v2(event));
    }
    marks.clear();
  }
}
