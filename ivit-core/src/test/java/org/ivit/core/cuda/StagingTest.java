package org.ivit.core.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.jna.Library;
import com.sun.jna.Native;
import java.nio.ByteBuffer;
import org.ivit.core.InputException;
import org.ivit.core.engine.cuda.CudaEngine;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Copies beside launches, on a driver whose streams run as late or as early as they may. */
class StagingTest {
  private static final int BYTES = 1000;

  /** How a test sets up the driver. */
  interface Fake extends Library {
    void fake_driver_set(int version, int devices, int capability, String failing);

    void fake_driver_early(int early);

    int fake_driver_live();
  }

  private Fake fake;
  private int before;

  @BeforeEach
  void load() {
    Emulator.load();
    String library = System.getProperty("ivit.cuda.emulator");
    fake = Native.load(library, Fake.class);
    fails("");
    System.setProperty(DriverCalls.LIBRARY, library);
    before = fake.fake_driver_live();
  }

  @AfterEach
  void restore() {
    System.clearProperty(DriverCalls.LIBRARY);
    if (fake != null) {
      fails("");
      fake.fake_driver_early(0);
    }
  }

  private void fails(String call) {
    fake.fake_driver_set(13000, 1, 90, call);
  }

  private static DriverDevice open() {
    return DriverDevice.open(new KernelImages(CudaEngine.class, "/cuda/"), Gpu.FIRST);
  }

  /** Fills all of a buffer with numbers from a first one on. */
  private static void fill(ByteBuffer buffer, int first) {
    for (int i = 0; i < buffer.capacity(); i++) {
      buffer.put(i, (byte) (first + i));
    }
  }

  private static byte[] read(Device device, long from, int count) {
    ByteBuffer bytes = ByteBuffer.allocateDirect(count);
    device.read(bytes, from);
    byte[] found = new byte[count];
    bytes.get(found);
    return found;
  }

  private static void copiesInTurn(Device device) {
    try (Device.Staging staging = device.stage(BYTES)) {
      assertThat(staging.bytes()).isEqualTo(BYTES);
      for (int turn = 0; turn < 3; turn++) {
        fill(staging.host(), turn);
        int count = turn == 1 ? 1 : BYTES;
        staging.send(count);
        byte[] found = read(device, staging.receive(), BYTES);
        for (int i = 0; i < count; i++) {
          assertThat(found[i]).isEqualTo((byte) (turn + i));
        }
        staging.release();
      }
      fill(staging.host(), 50);
      staging.send(BYTES);
      fill(staging.host(), 60);
      assertThat(read(device, staging.receive(), 1)).as("not overtaken").containsExactly(50);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void copiesInTurnAndGivesEverythingBack(int early) {
    fake.fake_driver_early(early);
    try (DriverDevice device = open()) {
      copiesInTurn(device);
    }
    assertThat(fake.fake_driver_live()).isEqualTo(before);
  }

  @Test
  void theEmulationDoesTheSame() {
    EmulatedDevice device = new EmulatedDevice(1, 99_000);
    copiesInTurn(device);
    assertThat(device.live()).isZero();
  }

  @Test
  void theEmulationRefusesToOverwriteWhatIsRead() {
    try (Device.Staging staging = new EmulatedDevice(1, 99_000).stage(BYTES)) {
      staging.send(BYTES);
      staging.receive();
      assertThatThrownBy(() -> staging.send(BYTES))
          .isInstanceOf(AssertionError.class)
          .hasMessageContaining("may still read");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"cuMemHostAlloc", "cuStreamCreate", "cuEventCreate", "cuMemAlloc_v2"})
  void namesTheCallThatFailsWhenItOpens(String call) {
    try (DriverDevice device = open()) {
      fails(call);
      assertThatThrownBy(() -> device.stage(BYTES))
          .isInstanceOf(DeviceMemoryException.class)
          .hasMessageStartingWith("engine cuda: " + call);
    }
    assertThat(fake.fake_driver_live()).isEqualTo(before);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "cuEventSynchronize",
        "cuStreamWaitEvent",
        "cuMemcpyHtoDAsync_v2",
        "cuEventRecord"
      })
  void namesTheCallThatFailsInACopy(String call) {
    try (DriverDevice device = open();
        Device.Staging staging = device.stage(BYTES)) {
      fails(call);
      assertThatThrownBy(
              () -> {
                staging.host();
                staging.send(BYTES);
              })
          .isInstanceOf(InputException.class)
          .hasMessageStartingWith("engine cuda: " + call);
      fails("");
    }
    assertThat(fake.fake_driver_live()).isEqualTo(before);
  }
}
