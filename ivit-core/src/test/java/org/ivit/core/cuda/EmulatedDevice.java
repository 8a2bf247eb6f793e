package org.ivit.core.cuda;

import com.sun.jna.Pointer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** Runs launches on the processor; every error of a kernel is an {@link AssertionError}. */
public final class EmulatedDevice implements Device {
  private final Emulator emulator = Emulator.load();
  private final int multiprocessors;
  private final int sharedBytes;
  private final boolean warpgroups;
  private final boolean tensorMaps;
  private final AtomicInteger live = new AtomicInteger();
  private final AtomicLong most = new AtomicLong(Long.MAX_VALUE);
  private final AtomicInteger recorded = new AtomicInteger();
  private volatile boolean closed;

  /**
   * @param multiprocessors 1 for large tiles, many for small ones
   * @param sharedBytes most of a block
   */
  public EmulatedDevice(int multiprocessors, int sharedBytes) {
    this(multiprocessors, sharedBytes, false);
  }

  /**
   * @param warpgroups whether large tiles are those of warpgroups
   */
  public EmulatedDevice(int multiprocessors, int sharedBytes, boolean warpgroups) {
    this(multiprocessors, sharedBytes, warpgroups, false);
  }

  /**
   * @param warpgroups whether large tiles are those of warpgroups
   * @param tensorMaps whether the largest are those of clusters
   */
  public EmulatedDevice(
      int multiprocessors, int sharedBytes, boolean warpgroups, boolean tensorMaps) {
    this.warpgroups = warpgroups;
    this.tensorMaps = tensorMaps;
    this.multiprocessors = multiprocessors;
    this.sharedBytes = sharedBytes;
  }

  /** Refuses to allocate more at once. */
  public void limit(long bytes) {
    most.set(bytes);
  }

  /** Returns allocations that were not freed. */
  public int live() {
    return live.get();
  }

  /** Returns how often launches were recorded. */
  public int recorded() {
    return recorded.get();
  }

  public boolean closed() {
    return closed;
  }

  public Emulator emulator() {
    return emulator;
  }

  @Override
  public String name() {
    return "emulator";
  }

  @Override
  public int multiprocessors() {
    return multiprocessors;
  }

  @Override
  public boolean warpgroups() {
    return warpgroups;
  }

  @Override
  public boolean tensorMaps() {
    return tensorMaps;
  }

  @Override
  public byte[] encode(BoxedMatrix m) {
    byte[] map = new byte[BoxedMatrix.ENCODED_BYTES];
    check(
        emulator.emulator_map(
            map,
            new Pointer(m.address()),
            m.width(),
            m.rows(),
            m.stride(),
            BoxedMatrix.BOX_WIDTH,
            m.boxRows()));
    return map;
  }

  @Override
  public int sharedBytes() {
    return sharedBytes;
  }

  @Override
  public long allocate(long bytes) {
    if (bytes > most.get()) {
      throw new DeviceMemoryException("emulator: " + bytes + " bytes");
    }
    live.incrementAndGet();
    return Pointer.nativeValue(emulator.emulator_allocate(bytes));
  }

  @Override
  public void free(long address) {
    live.decrementAndGet();
    check(emulator.emulator_free(new Pointer(address)));
  }

  @Override
  public void write(long to, ByteBuffer from) {
    check(emulator.emulator_write(new Pointer(to), from, from.remaining()));
  }

  @Override
  public void read(ByteBuffer to, long from) {
    check(emulator.emulator_read(to, new Pointer(from), to.remaining()));
  }

  @Override
  public void launch(Launch launch) {
    launch(launch, false);
  }

  private void launch(Launch launch, boolean beside) {
    check(
        emulator.emulator_launch(
            launch.kernel(),
            launch.gridX(),
            launch.gridY(),
            launch.gridZ(),
            launch.threads(),
            launch.sharedBytes(),
            launch.arguments(),
            launch.arguments().length,
            beside ? 1 : 0));
  }

  private static void check(String error) {
    if (error != null) {
      throw new AssertionError(error);
    }
  }

  /** Every kernel must wait for the one in front, the first too: another replay's may be there. */
  @Override
  public Replay record(List<Launch> launches) {
    recorded.incrementAndGet();
    return new Replay() {
      @Override
      public void repeat(int times) {
        for (int i = 0; i < times; i++) {
          launches.forEach(launch -> launch(launch, true));
        }
      }

      @Override
      public void close() {
        // Holds nothing.
      }
    };
  }

  @Override
  public Pass record(List<Launch> launches, Transfers transfers) {
    Replay replay = record(launches);
    return new Pass() {
      @Override
      public void run(byte[] codes, int from, int[] results, int to) {
        int count = transfers.inputBytes();
        write(transfers.input(), ByteBuffer.allocateDirect(count).put(codes, from, count).flip());
        replay.repeat(1);
        ByteBuffer bytes =
            ByteBuffer.allocateDirect(4 * transfers.results()).order(ByteOrder.LITTLE_ENDIAN);
        read(bytes, transfers.output());
        bytes.asIntBuffer().get(results, to, transfers.results());
      }

      @Override
      public void close() {
        replay.close();
      }
    };
  }

  @Override
  public Staging stage(int bytes) {
    return new EmulatedStaging(this, bytes);
  }

  @Override
  public void close() {
    closed = true;
  }
}
