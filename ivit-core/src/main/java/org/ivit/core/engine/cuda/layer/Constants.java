package org.ivit.core.engine.cuda.layer;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.ivit.core.cuda.Device;

/** A model's constants in device memory, freed together. May be used by several threads at once. */
public final class Constants implements AutoCloseable {
  private final Device device;
  private final List<Long> addresses = new ArrayList<>();

  public Constants(Device device) {
    this.device = device;
  }

  public Device device() {
    return device;
  }

  /** Copies codes to the device and returns where they are. */
  public long bytes(byte[] values) {
    return put(buffer(values.length).put(values));
  }

  public long shorts(short[] values) {
    ByteBuffer buffer = buffer(2L * values.length);
    buffer.asShortBuffer().put(values);
    return put(buffer.position(buffer.limit()));
  }

  public long ints(int[] values) {
    ByteBuffer buffer = buffer(4L * values.length);
    buffer.asIntBuffer().put(values);
    return put(buffer.position(buffer.limit()));
  }

  public long longs(long[] values) {
    ByteBuffer buffer = buffer(8L * values.length);
    buffer.asLongBuffer().put(values);
    return put(buffer.position(buffer.limit()));
  }

  private static ByteBuffer buffer(long bytes) {
    return ByteBuffer.allocateDirect(Math.toIntExact(bytes)).order(ByteOrder.LITTLE_ENDIAN);
  }

  private synchronized long put(ByteBuffer buffer) {
    buffer.flip();
    long address = device.allocate(buffer.limit());
    addresses.add(address);
    device.write(address, buffer);
    return address;
  }

  @Override
  public synchronized void close() {
    addresses.forEach(device::free);
    addresses.clear();
  }
}
