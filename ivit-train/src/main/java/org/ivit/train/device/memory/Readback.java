package org.ivit.train.device.memory;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.ivit.core.cuda.Device;

/**
 * Records that kernels write in every step and the host reads in one copy. A record is named by its
 * offset; all are added before the first of them is written.
 */
public final class Readback implements AutoCloseable {
  private static final int ALIGNMENT = 32;

  private final Device device;
  private int bytes;
  private ByteBuffer host;
  private long address;

  public Readback(Device device) {
    this.device = device;
  }

  /** Adds room for so many bytes; returns its offset. */
  public int add(long size) {
    if (host != null) {
      throw new IllegalStateException("records are added before the first is written");
    }
    int at = bytes;
    bytes = Math.toIntExact(at + (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
    return at;
  }

  /** Where the record of that offset lies on the device. */
  public long at(int offset) {
    if (host == null) {
      host = ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
      address = device.allocate(bytes);
    }
    return address + offset;
  }

  /** Copies all records from the device. */
  public void receive() {
    if (host != null) {
      device.read(host.duplicate(), address);
    }
  }

  public int intAt(int offset, int index) {
    return host.getInt(offset + 4 * index);
  }

  public float floatAt(int offset, int index) {
    return host.getFloat(offset + 4 * index);
  }

  @Override
  public void close() {
    if (host != null) {
      device.free(address);
      host = null;
    }
  }
}
