package org.ivit.core.cuda;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.IntByReference;
import com.sun.jna.ptr.LongByReference;
import com.sun.jna.ptr.PointerByReference;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.ivit.core.InputException;

/** A GPU by the driver API. */
public final class DriverDevice implements Device {
  private static final int HOPPER = 90;

  /** Graphs know programmatic edges from it on. */
  private static final CudaVersion PROGRAMMATIC_EDGES = new CudaVersion(12, 3);

  private static final int ATTRIBUTE_MULTIPROCESSORS = 16;
  private static final int ATTRIBUTE_CAPABILITY_MAJOR = 75;
  private static final int ATTRIBUTE_CAPABILITY_MINOR = 76;
  private static final int ATTRIBUTE_SHARED_BYTES_OPT_IN = 97;
  private static final int FUNCTION_DYNAMIC_SHARED_BYTES = 8;
  private static final int JIT_ERROR_LOG = 5;
  private static final int JIT_ERROR_LOG_BYTES = 6;
  private static final int LOG_BYTES = 8192;
  private static final int MAP_ALIGNMENT = 64;
  private static final int MAP_OF_BYTES = 0;
  private static final int MAP_NOT_INTERLEAVED = 0;
  private static final int MAP_SWIZZLE_128 = 3;
  private static final int MAP_PROMOTION_128 = 2;
  private static final int MAP_FILL_ZERO = 0;

  private final DriverCalls calls;
  private final Driver driver;
  private final int device;
  private final String name;
  private final int multiprocessors;
  private final int sharedBytes;
  private final boolean warpgroups;
  private final boolean tensorMaps;
  private final boolean dependentLaunches;
  private final Pointer context;
  private final Pointer module;
  private final Map<String, Pointer> functions = new ConcurrentHashMap<>();

  private DriverDevice(DriverCalls calls, KernelImages images, Gpu gpu) {
    this.calls = calls;
    this.driver = calls.driver();
    device = find(gpu.number());
    name = deviceName() + ", device " + gpu.number();
    multiprocessors = attribute(ATTRIBUTE_MULTIPROCESSORS);
    sharedBytes = attribute(ATTRIBUTE_SHARED_BYTES_OPT_IN);
    int capability =
        10 * attribute(ATTRIBUTE_CAPABILITY_MAJOR) + attribute(ATTRIBUTE_CAPABILITY_MINOR);
    boolean machineCode = calls.version().compareTo(images.compiler()) >= 0;
    // Only the machine code for Hopper has its instructions.
    boolean hopper = machineCode && capability == HOPPER;
    warpgroups = hopper && gpu.warpgroups();
    tensorMaps = hopper && gpu.tensorMaps();
    dependentLaunches =
        hopper && gpu.dependentLaunches() && calls.version().compareTo(PROGRAMMATIC_EDGES) >= 0;
    String image = KernelImages.name(name, capability, machineCode);
    PointerByReference reference = new PointerByReference();
    check("cuDevicePrimaryCtxRetain", driver.cuDevicePrimaryCtxRetain(reference, device));
    context = reference.getValue();
    module = load(images.read(image));
  }

  /**
   * @param images kernels
   * @param gpu which
   * @throws InputException if there is no such GPU, no driver, or one that is too old
   */
  public static DriverDevice open(KernelImages images, Gpu gpu) {
    return open(DriverCalls.load(images.needed()), images, gpu);
  }

  static DriverDevice open(DriverCalls calls, KernelImages images, Gpu gpu) {
    calls.check("cuInit", calls.driver().cuInit(0));
    return new DriverDevice(calls, images, gpu);
  }

  private int find(int ordinal) {
    IntByReference count = new IntByReference();
    check("cuDeviceGetCount", driver.cuDeviceGetCount(count));
    if (ordinal >= count.getValue()) {
      throw new InputException(
          "engine cuda: device %d, found %d of them".formatted(ordinal, count.getValue()));
    }
    IntByReference found = new IntByReference();
    check("cuDeviceGet", driver.cuDeviceGet(found, ordinal));
    return found.getValue();
  }

  private String deviceName() {
    byte[] text = new byte[256];
    check("cuDeviceGetName", driver.cuDeviceGetName(text, text.length, device));
    return Native.toString(text);
  }

  private int attribute(int attribute) {
    IntByReference value = new IntByReference();
    check("cuDeviceGetAttribute", driver.cuDeviceGetAttribute(value, attribute, device));
    return value.getValue();
  }

  /** Gives the context back where the kernels do not load. */
  private Pointer load(byte[] image) {
    PointerByReference reference = new PointerByReference();
    boolean loaded = false;
    try (Memory log = new Memory(LOG_BYTES)) {
      current();
      log.clear();
      int code =
          driver.cuModuleLoadDataEx(
              reference,
              image,
              2,
              new int[] {JIT_ERROR_LOG, JIT_ERROR_LOG_BYTES},
              new Pointer[] {log, new Pointer(LOG_BYTES)});
      String said = log.getString(0).strip();
      calls.check(
          "cuModuleLoadDataEx",
          code,
          said.isEmpty() ? "" : "; its compiler says: " + said.lines().iterator().next());
      loaded = true;
    } finally {
      if (!loaded) {
        driver.cuDevicePrimaryCtxRelease_v2(device);
      }
    }
    return reference.getValue();
  }

  private void check(String call, int code) {
    calls.check(call, code);
  }

  /** The context belongs to a thread, and calls come from any. */
  void current() {
    check("cuCtxSetCurrent", DirectDriver.cuCtxSetCurrent(context));
  }

  /** Returns a kernel, allowed all shared memory that there is. */
  Pointer function(String kernel) {
    return functions.computeIfAbsent(
        kernel,
        key -> {
          PointerByReference reference = new PointerByReference();
          check("cuModuleGetFunction", driver.cuModuleGetFunction(reference, module, key));
          check(
              "cuFuncSetAttribute",
              driver.cuFuncSetAttribute(
                  reference.getValue(), FUNCTION_DYNAMIC_SHARED_BYTES, sharedBytes));
          return reference.getValue();
        });
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public int multiprocessors() {
    return multiprocessors;
  }

  @Override
  public boolean warpgroups() {
    return warpgroups;
  }

  /** Returns whether recorded kernels may be started before the one in front has ended. */
  public boolean dependentLaunches() {
    return dependentLaunches;
  }

  @Override
  public boolean tensorMaps() {
    return tensorMaps;
  }

  @Override
  public byte[] encode(BoxedMatrix matrix) {
    try (Memory memory = new Memory(BoxedMatrix.ENCODED_BYTES + MAP_ALIGNMENT)) {
      Memory map = memory.align(MAP_ALIGNMENT);
      check(
          "cuTensorMapEncodeTiled",
          driver.cuTensorMapEncodeTiled(
              map,
              MAP_OF_BYTES,
              2,
              matrix.address(),
              new long[] {matrix.width(), matrix.rows()},
              new long[] {matrix.stride()},
              new int[] {BoxedMatrix.BOX_WIDTH, matrix.boxRows()},
              new int[] {1, 1},
              MAP_NOT_INTERLEAVED,
              MAP_SWIZZLE_128,
              MAP_PROMOTION_128,
              MAP_FILL_ZERO));
      return map.getByteArray(0, BoxedMatrix.ENCODED_BYTES);
    }
  }

  @Override
  public int sharedBytes() {
    return sharedBytes;
  }

  @Override
  public long allocate(long bytes) {
    current();
    LongByReference address = new LongByReference();
    int code = driver.cuMemAlloc_v2(address, bytes);
    check("cuMemAlloc_v2 of %d bytes on %s".formatted(bytes, name), code);
    return address.getValue();
  }

  @Override
  public void free(long address) {
    current();
    check("cuMemFree_v2", driver.cuMemFree_v2(address));
  }

  /** Address of the byte at a direct buffer's position. */
  private static Pointer position(ByteBuffer buffer) {
    return Native.getDirectBufferPointer(buffer).share(buffer.position());
  }

  @Override
  public void write(long to, ByteBuffer from) {
    current();
    check("cuMemcpyHtoD_v2", driver.cuMemcpyHtoD_v2(to, position(from), from.remaining()));
    // The copy may still be on its way, and the streams of replays do not wait for it.
    check("cuStreamSynchronize", DirectDriver.cuStreamSynchronize(null));
  }

  @Override
  public void read(ByteBuffer to, long from) {
    current();
    check(
        "cuMemcpyDtoHAsync_v2",
        driver.cuMemcpyDtoHAsync_v2(position(to), from, to.remaining(), null));
    check("cuStreamSynchronize", DirectDriver.cuStreamSynchronize(null));
  }

  @Override
  public void launch(Launch launch) {
    current();
    launchInOrder(List.of(launch), null, false);
  }

  @Override
  public Replay record(List<Launch> launches) {
    return new GraphReplay(this, launches);
  }

  @Override
  public Pass record(List<Launch> launches, Transfers transfers) {
    return new GraphPass(this, launches, transfers);
  }

  @Override
  public Staging stage(int bytes) {
    return new StreamStaging(this, bytes);
  }

  /** The calls of a replay or a copy, which take the context as their own. */
  Driver enter() {
    current();
    return driver;
  }

  DriverCalls calls() {
    return calls;
  }

  /**
   * Puts launches into a stream, the first after all that is there.
   *
   * @param dependent whether the kernels wait for the one in front themselves, so that others than
   *     the first may be started before it has ended, where the GPU and the driver can do that
   */
  void launchInOrder(List<Launch> launches, Pointer stream, boolean dependent) {
    boolean beside = false;
    for (Launch launch : launches) {
      Pointer function = function(launch.kernel());
      if (beside) {
        check(
            "cuLaunchKernelEx of " + launch.kernel(),
            KernelLaunch.putBeside(function, launch, stream));
      } else {
        check("cuLaunchKernel of " + launch.kernel(), KernelLaunch.put(function, launch, stream));
      }
      beside = dependent && dependentLaunches;
    }
  }

  @Override
  public void close() {
    current();
    try {
      check("cuModuleUnload", driver.cuModuleUnload(module));
    } finally {
      check("cuDevicePrimaryCtxRelease_v2", driver.cuDevicePrimaryCtxRelease_v2(device));
    }
  }
}
