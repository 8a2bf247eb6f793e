package org.ivit.core.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.jna.Library;
import com.sun.jna.Native;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.ivit.core.InputException;
import org.ivit.core.engine.Engine;
import org.ivit.core.engine.choice.EngineConfig;
import org.ivit.core.engine.choice.Engines;
import org.ivit.core.engine.cuda.CudaEngine;
import org.ivit.core.engine.reference.ReferenceEngine;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.testing.ObservedModel;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The host code for a GPU, on a driver that runs emulated kernels. */
class DriverDeviceTest {
  /** How a test sets up the driver. */
  interface Fake extends Library {
    void fake_driver_set(int version, int devices, int capability, String failing);

    void fake_driver_error(int code);

    int fake_driver_live();

    int fake_driver_beside();

    int fake_driver_copied();
  }

  private static final KernelImages KERNELS = new KernelImages(CudaEngine.class, "/cuda/");
  private static final int OUT_OF_MEMORY = 2;

  private final IntegerGraph graph = ObservedModel.small();
  private Fake fake;

  /** What tests of failing releases left behind. */
  private int before;

  @BeforeEach
  void load() {
    Emulator.load();
    String library = System.getProperty("ivit.cuda.emulator");
    fake = Native.load(library, Fake.class);
    set(13000, 1, 90, "");
    System.setProperty(DriverCalls.LIBRARY, library);
    before = fake.fake_driver_live();
  }

  @AfterEach
  void restore() {
    System.clearProperty(DriverCalls.LIBRARY);
    System.clearProperty(EngineConfig.GPU);
    if (fake != null) {
      fake.fake_driver_error(OUT_OF_MEMORY);
      set(13000, 1, 90, "");
    }
  }

  private void set(int version, int devices, int capability, String failing) {
    fake.fake_driver_set(version, devices, capability, failing);
  }

  @ParameterizedTest
  @ValueSource(ints = {75, 80, 86, 90, 100})
  void equalsTheReferenceAndGivesEverythingBack(int capability) {
    set(13010, 2, capability, "");
    System.setProperty(EngineConfig.GPU, "1");
    byte[] codes = new byte[3 * 48];
    new Random(1).nextBytes(codes);
    int[] expected;
    try (ReferenceEngine reference = new ReferenceEngine(graph)) {
      expected = reference.logits(codes, 3);
    }
    try (Engine engine = Engines.open(graph, "cuda");
        Engine second = Engines.open(graph, "cuda")) {
      assertThat(engine.description())
          .isEqualTo("cuda: Emulated GPU, device 1 (asked for by name)");
      assertThat(second.logits(Arrays.copyOf(codes, 48), 1)).isEqualTo(Arrays.copyOf(expected, 2));
      for (int turn = 0; turn < 2; turn++) {
        assertThat(engine.logits(codes, 3)).isEqualTo(expected);
        assertThat(engine.logits(Arrays.copyOf(codes, 48), 1))
            .isEqualTo(Arrays.copyOf(expected, 2));
      }
    }
    assertThat(fake.fake_driver_live()).isEqualTo(before);
  }

  @SuppressWarnings("unused")
  static final List<String> BEFORE_LOGITS =
      List.of(
          "cuDriverGetVersion",
          "cuInit",
          "cuDeviceGetCount",
          "cuDeviceGet",
          "cuDeviceGetName",
          "cuDeviceGetAttribute",
          "cuDevicePrimaryCtxRetain",
          "cuModuleLoadDataEx",
          "cuMemAlloc_v2",
          "cuMemcpyHtoD_v2");

  @ParameterizedTest
  @FieldSource("BEFORE_LOGITS")
  void namesTheCallThatFailsWhenItOpens(String call) {
    set(13000, 1, 90, call);
    refused(call, () -> CudaEngine.open(graph, Gpu.FIRST, "test"));
    assertThat(fake.fake_driver_live()).isEqualTo(before);
  }

  @SuppressWarnings("unused")
  static final List<String> IN_LOGITS =
      List.of(
          "cuModuleGetFunction",
          "cuFuncSetAttribute",
          "cuStreamCreate",
          "cuStreamBeginCapture_v2",
          "cuLaunchKernel",
          "cuLaunchKernelEx",
          "cuStreamEndCapture",
          "cuGraphInstantiateWithFlags",
          "cuMemHostAlloc",
          "cuMemcpyHtoDAsync_v2",
          "cuGraphLaunch",
          "cuMemcpyDtoHAsync_v2",
          "cuStreamSynchronize");

  @ParameterizedTest
  @FieldSource("IN_LOGITS")
  void namesTheCallThatFailsInACallAndGoesOn(String call) {
    try (CudaEngine engine = CudaEngine.open(graph, Gpu.FIRST, "test")) {
      set(13000, 1, 90, call);
      refused(call, () -> engine.logits(new byte[48], 1));
      set(13000, 1, 90, "");
      assertThat(engine.logits(new byte[48], 1)).hasSize(2);
    }
    assertThat(fake.fake_driver_live()).isEqualTo(before);
  }

  @ParameterizedTest
  @ValueSource(strings = {"cuGraphExecDestroy", "cuStreamDestroy_v2", "cuMemFree_v2"})
  void namesTheCallThatFailsWhenItCloses(String call) {
    CudaEngine engine = CudaEngine.open(graph, Gpu.FIRST, "test");
    engine.logits(new byte[48], 1);
    set(13000, 1, 90, call);
    refused(call, engine::close);
    assertThat(fake.fake_driver_live()).as("what the failure left").isGreaterThan(before);
  }

  private static void refused(String call, ThrowingCallable body) {
    assertThatThrownBy(body)
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith("engine cuda: " + call)
        .hasMessageEndingWith(": CUDA_ERROR_OUT_OF_MEMORY (2), out of memory");
  }

  /** No input mends it, and there is a GPU. */
  @ParameterizedTest
  @ValueSource(ints = {214, 700, 716, 719, 999})
  void tellsAFaultOnTheGpuFromOtherErrors(int code) {
    try (CudaEngine engine = CudaEngine.open(graph, Gpu.FIRST, "test")) {
      fake.fake_driver_error(code);
      set(13000, 1, 90, "cuStreamSynchronize");
      assertThatThrownBy(() -> engine.logits(new byte[48], 1))
          .isInstanceOf(DeviceFaultException.class)
          .hasMessageStartingWith("engine cuda: cuStreamSynchronize: ")
          .hasMessageContaining("(" + code + ")")
          .hasMessageEndingWith(": a fault on the GPU, not of the input");
      set(13000, 1, 90, "");
    }
    assertThat(fake.fake_driver_live()).isEqualTo(before);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 100, 209, 701, 704, 801})
  void otherErrorsAreOfTheInput(int code) {
    fake.fake_driver_error(code);
    set(13000, 1, 90, "cuInit");
    assertThatThrownBy(() -> CudaEngine.open(graph, Gpu.FIRST, "test"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("(" + code + ")");
  }

  @Test
  void copiesFromTheBuffersPositionOn() {
    try (DriverDevice device = DriverDevice.open(KERNELS, Gpu.FIRST)) {
      long address = device.allocate(4);
      ByteBuffer bytes = ByteBuffer.allocateDirect(8);
      bytes.put(new byte[] {1, 2, 3, 4, 5, 6, 7, 8});
      device.write(address, bytes.position(3).limit(7));
      ByteBuffer found = ByteBuffer.allocateDirect(8);
      device.read(found.position(2).limit(6), address);
      byte[] all = new byte[8];
      found.clear().get(all);
      assertThat(all).containsExactly(0, 0, 4, 5, 6, 7, 0, 0);
      device.free(address);
    }
  }

  @Test
  void freesPinnedMemoryWhereThereIsNoMore() {
    try (DriverDevice device = DriverDevice.open(KERNELS, Gpu.FIRST)) {
      long address = device.allocate(64);
      Launch launch = new Launch("leading_tokens", 1, 1, 1, 128, 0, new byte[32]);
      Transfers tooMuch = new Transfers(address, 8, address, 1 << 29);
      refused("cuMemHostAlloc", () -> device.record(List.of(launch), tooMuch));
      device.free(address);
    }
    assertThat(fake.fake_driver_live()).isEqualTo(before);
  }

  /** A run is one call of a graph, in which both copies are, however late or early they run. */
  @Test
  void copiesWithinTheGraph() {
    try (DriverDevice device = DriverDevice.open(KERNELS, Gpu.FIRST)) {
      long input = device.allocate(8);
      long output = device.allocate(64);
      // Leading tokens are copied from what was copied in.
      byte[] arguments =
          ByteBuffer.allocate(32)
              .order(ByteOrder.LITTLE_ENDIAN)
              .putLong(input)
              .putLong(output)
              .putLong(4)
              .putInt(4)
              .array();
      Launch launch = new Launch("leading_tokens", 1, 1, 1, 128, 0, arguments);
      Transfers transfers = new Transfers(input, 8, output, 2);
      try (Device.Pass pass = device.record(List.of(launch, launch), transfers)) {
        for (byte turn = 1; turn <= 3; turn++) {
          int copied = fake.fake_driver_copied();
          int[] results = new int[4];
          pass.run(new byte[] {9, turn, 2, 3, 4, 5, 6, 7, 8}, 1, results, 1);
          assertThat(results).containsExactly(0, 0x04030200 + turn, 0x08070605, 0);
          assertThat(fake.fake_driver_copied() - copied).isEqualTo(2);
        }
      }
      device.free(input);
      device.free(output);
    }
    assertThat(fake.fake_driver_live()).isEqualTo(before);
  }

  /** Of a pass all kernels but the first, where there is Hopper's machine code. */
  @ParameterizedTest
  @CsvSource({
    "13000, 90, true, true",
    "13010, 90, true, true",
    "13000, 90, false, false",
    "12080, 90, true, false",
    "13000, 80, true, false",
    "13000, 89, true, false",
    "13000, 100, true, false"
  })
  void startsKernelsBesideTheOneInFront(
      int version, int capability, boolean wanted, boolean expected) {
    set(version, 1, capability, "");
    Gpu gpu = Gpu.FIRST.withDependentLaunches(wanted);
    byte[] codes = new byte[48];
    new Random(3).nextBytes(codes);
    try (ReferenceEngine reference = new ReferenceEngine(graph);
        CudaEngine engine = CudaEngine.open(graph, gpu, "test")) {
      int[] logits = reference.logits(codes, 1);
      int start = fake.fake_driver_beside();
      assertThat(engine.logits(codes, 1)).isEqualTo(logits);
      int first = fake.fake_driver_beside() - start;
      assertThat(engine.logits(codes, 1)).isEqualTo(logits);
      assertThat(fake.fake_driver_beside() - start).isEqualTo(2 * first);
      if (expected) {
        // A block has seven launches, and there are stem and head.
        assertThat(first).isGreaterThan(7);
      } else {
        assertThat(first).isZero();
      }
    }
    assertThat(fake.fake_driver_live()).isEqualTo(before);
  }

  @Test
  void launchesOutsideAGraphAreNotBesideOthers() {
    try (DriverDevice device = DriverDevice.open(KERNELS, Gpu.FIRST)) {
      assertThat(device.dependentLaunches()).isTrue();
      int start = fake.fake_driver_beside();
      long address = device.allocate(64);
      Launch launch = new Launch("leading_tokens", 1, 1, 1, 128, 0, new byte[32]);
      device.launch(launch);
      device.launch(launch);
      device.read(ByteBuffer.allocateDirect(8), address);
      assertThat(fake.fake_driver_beside()).isEqualTo(start);
      device.free(address);
    }
  }

  @Test
  void saysWhichDriverItNeeds() {
    set(11080, 1, 90, "");
    message(
        "engine cuda: the NVIDIA driver is for CUDA 11.8; needed is one for CUDA 12.0, which is 525"
            + " or newer");
    System.setProperty(DriverCalls.LIBRARY, "libno-such-driver.so");
    message(
        "engine cuda: no NVIDIA driver, libno-such-driver.so does not load; needed is one for CUDA"
            + " 12.0, which is 525 or newer");
  }

  /** One that is older than the compiler compiles PTX itself, and knows no warpgroups. */
  @ParameterizedTest
  @ValueSource(ints = {12000, 12080, 13000})
  void runsOnDriversFrom525On(int version) {
    set(version, 1, 90, "");
    try (Engine engine = Engines.open(graph, "cuda");
        DriverDevice device = DriverDevice.open(KERNELS, Gpu.FIRST.withWarpgroups(true))) {
      assertThat(engine.logits(new byte[48], 1)).hasSize(2);
      assertThat(device.warpgroups()).isEqualTo(version == 13000);
      assertThat(device.tensorMaps()).isFalse();
    }
    assertThat(fake.fake_driver_live()).isEqualTo(before);
  }

  /** Hopper's machine code has clusters; PTX has none, nor has another GPU. */
  @ParameterizedTest
  @CsvSource({"13000, 90, true", "13000, 80, false", "13000, 100, false", "12080, 90, false"})
  void takesTensorMapsWhereToldTo(int version, int capability, boolean expected) {
    set(version, 1, capability, "");
    try (DriverDevice device = DriverDevice.open(KERNELS, Gpu.FIRST.withTensorMaps(true))) {
      assertThat(device.tensorMaps()).isEqualTo(expected);
      assertThat(device.warpgroups()).isFalse();
    }
    assertThat(fake.fake_driver_live()).isEqualTo(before);
  }

  /** What the driver refuses is said, and nothing is left. */
  @Test
  void saysWhichMatrixTheDriverDoesNotEncode() {
    try (DriverDevice device = DriverDevice.open(KERNELS, Gpu.FIRST.withTensorMaps(true))) {
      long address = device.allocate(4096);
      assertThat(device.encode(new BoxedMatrix(address, 64, 64, 64, 128))).hasSize(128);
      for (BoxedMatrix wrong :
          List.of(
              new BoxedMatrix(address + 8, 64, 32, 64, 128),
              new BoxedMatrix(address, 64, 65, 64, 128),
              new BoxedMatrix(address, 64, 32, 72, 128),
              new BoxedMatrix(address, 64, 32, 64, 257))) {
        assertThatThrownBy(() -> device.encode(wrong))
            .isInstanceOf(InputException.class)
            .hasMessageStartingWith("engine cuda: cuTensorMapEncodeTiled: ");
      }
      device.free(address);
    }
    assertThat(fake.fake_driver_live()).isEqualTo(before);
  }

  @Test
  void saysWhatTheDriversCompilerSays() {
    fake.fake_driver_error(218);
    set(12000, 1, 80, "cuModuleLoadDataEx");
    assertThatThrownBy(() -> Engines.open(graph, "cuda"))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith("engine cuda: cuModuleLoadDataEx: ")
        .hasMessageEndingWith("; its compiler says: ptxas fatal : Unsupported .version");
    assertThat(fake.fake_driver_live()).isEqualTo(before);
  }

  @Test
  void saysWhichGpuThereIs() {
    set(13000, 1, 61, "");
    message(
        "engine cuda: Emulated GPU, device 0 has compute capability 6.1, expected 7.5 (Turing) or"
            + " newer");
    System.setProperty(EngineConfig.GPU, "1");
    message("engine cuda: device 1, found 1 of them");
    System.setProperty(EngineConfig.GPU, "x");
    message("property ivit.gpu: 'x', expected a number from 0");
    System.clearProperty(EngineConfig.GPU);
    set(13000, 0, 90, "");
    message("engine cuda: device 0, found 0 of them");
    assertThat(fake.fake_driver_live()).isEqualTo(before);
  }

  private void message(String expected) {
    assertThatThrownBy(() -> Engines.open(graph, "cuda"))
        .isInstanceOf(InputException.class)
        .hasMessage(expected);
  }
}
