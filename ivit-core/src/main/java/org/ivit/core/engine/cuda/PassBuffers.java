package org.ivit.core.engine.cuda;

import java.util.EnumMap;
import java.util.Map;
import org.ivit.core.cuda.Device;
import org.ivit.core.cuda.DeviceMemoryException;

/**
 * A forward pass's buffers on the device. A plan is made twice: first without memory, to learn how
 * much each buffer must hold, then with it.
 */
final class PassBuffers implements AutoCloseable {
  /** What is kept between two kernels. */
  enum Name {
    PIXELS,
    PATCHES,
    PATCH_CODES,
    STREAM,
    NORM,
    QKV,
    CONTEXT,
    GATED,
    HIDDEN,
    POOL,
    LOGITS
  }

  /** The last block of a warp's sixteen bytes may reach over the end of a row. */
  private static final int SLACK = 64;

  private final Map<Name, Long> sizes = new EnumMap<>(Name.class);
  private final Map<Name, Long> addresses = new EnumMap<>(Name.class);
  private Device device;

  /**
   * Asks for a buffer.
   *
   * @param name which
   * @param elements that it must hold
   * @param bytes of an element
   * @return its address, or 0 before {@link #allocate}
   */
  long of(Name name, long elements, int bytes) {
    long size = Math.multiplyExact(elements, (long) bytes) + SLACK;
    if (device == null) {
      sizes.merge(name, size, Math::max);
      return 0;
    }
    if (size > sizes.get(name)) {
      throw new IllegalStateException("buffer " + name + " was planned smaller");
    }
    return addresses.get(name);
  }

  /**
   * Takes memory for what was asked for.
   *
   * @throws DeviceMemoryException if there is not so much; nothing is kept then
   */
  void allocate(Device from) {
    device = from;
    try {
      sizes.forEach((name, size) -> addresses.put(name, from.allocate(size)));
    } catch (DeviceMemoryException e) {
      close();
      throw e;
    }
  }

  @Override
  public void close() {
    addresses.values().forEach(device::free);
    addresses.clear();
  }
}
