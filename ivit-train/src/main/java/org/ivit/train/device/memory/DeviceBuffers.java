package org.ivit.train.device.memory;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;
import org.ivit.core.cuda.Device;

/** Memory on the device by name, which grows and is kept; its contents are lost when it grows. */
public final class DeviceBuffers implements AutoCloseable {
  /** A whole vector may be read where a row ends. */
  private static final int SLACK = 64;

  private final Device device;
  private final Map<String, Memory> memories = new HashMap<>();

  private record Memory(long address, long bytes) {}

  public DeviceBuffers(Device device) {
    this.device = device;
  }

  /**
   * @param name which
   * @param elements that it must hold
   * @param bytes of an element
   * @return its address
   */
  public long of(String name, long elements, int bytes) {
    long needed = Math.addExact(Math.multiplyExact(elements, (long) bytes), SLACK);
    Memory memory = memories.get(name);
    if (memory == null || memory.bytes < needed) {
      if (memory != null) {
        memories.remove(name);
        device.free(memory.address);
      }
      memory = new Memory(device.allocate(needed), needed);
      memories.put(name, memory);
    }
    return memory.address;
  }

  /** As {@link #of}, for values that are made and written when they are asked for first. */
  public long constants(String name, Supplier<int[]> made) {
    Memory memory = memories.get(name);
    if (memory != null) {
      return memory.address;
    }
    int[] values = made.get();
    ByteBuffer bytes = ByteBuffer.allocateDirect(4 * values.length).order(ByteOrder.nativeOrder());
    bytes.asIntBuffer().put(values);
    long address = of(name, values.length, 4);
    device.write(address, bytes);
    return address;
  }

  @Override
  public void close() {
    memories.values().forEach(memory -> device.free(memory.address));
    memories.clear();
  }
}
