package org.ivit.train.device.memory;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.ivit.core.cuda.Device;

/**
 * Small arrays that go to the device in one copy, and come back in one where kernels wrote into
 * them. An array is named by its offset until the copy says where it lies.
 */
public final class Upload implements AutoCloseable {
  private static final int ALIGNMENT = 16;

  private final Device device;
  private ByteBuffer host = buffer(1 << 16);
  private long address;
  private int capacity;

  public Upload(Device device) {
    this.device = device;
  }

  private static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
  }

  /** Forgets all arrays. */
  public void begin() {
    host.clear();
  }

  /** Room for {@code bytes} more; returns where it begins. */
  private int reserve(long bytes) {
    int at = Math.addExact(host.position(), ALIGNMENT - 1) & -ALIGNMENT;
    int end = Math.toIntExact(at + bytes);
    if (end > host.capacity()) {
      ByteBuffer larger = buffer(Math.toIntExact(Math.min(Integer.MAX_VALUE - 16L, 2L * end)));
      larger.put(host.flip());
      host = larger;
    }
    host.position(end);
    return at;
  }

  public int bytes(byte[] values) {
    int at = reserve(values.length);
    host.put(at, values);
    return at;
  }

  public int shorts(short[] values) {
    int at = reserve(2L * values.length);
    for (int i = 0; i < values.length; i++) {
      host.putShort(at + 2 * i, values[i]);
    }
    return at;
  }

  public int ints(int... values) {
    int at = reserve(4L * values.length);
    for (int i = 0; i < values.length; i++) {
      host.putInt(at + 4 * i, values[i]);
    }
    return at;
  }

  public int longs(long... values) {
    int at = reserve(8L * values.length);
    for (int i = 0; i < values.length; i++) {
      host.putLong(at + 8 * i, values[i]);
    }
    return at;
  }

  public int floats(float[] values) {
    int at = reserve(4L * values.length);
    for (int i = 0; i < values.length; i++) {
      host.putFloat(at + 4 * i, values[i]);
    }
    return at;
  }

  /** Copies all arrays to the device; what was returned before stays an offset. */
  public void send() {
    int bytes = host.position();
    if (bytes == 0) {
      return;
    }
    if (bytes > capacity) {
      close();
      address = device.allocate(host.capacity());
      capacity = host.capacity();
    }
    device.write(address, host.duplicate().flip());
  }

  /** Where the array of that offset lies on the device, after {@link #send}. */
  public long at(int offset) {
    return address + offset;
  }

  /** Copies all arrays back. */
  public void receive() {
    if (host.position() > 0) {
      device.read(host.duplicate().flip(), address);
    }
  }

  public int intAt(int offset, int index) {
    return host.getInt(offset + 4 * index);
  }

  public long longAt(int offset, int index) {
    return host.getLong(offset + 8 * index);
  }

  @Override
  public void close() {
    if (capacity > 0) {
      device.free(address);
      capacity = 0;
    }
  }
}
