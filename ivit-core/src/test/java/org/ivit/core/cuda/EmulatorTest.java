package org.ivit.core.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The emulation notices what a GPU would not forgive. */
class EmulatorTest {
  private final Emulator emulator = Emulator.load();

  @ParameterizedTest
  @CsvSource({
    "beyond global, access beyond global memory of 4 bytes",
    "misaligned, misaligned access to global memory of 4 bytes",
    "beyond shared, access to shared memory at 512 of 1 bytes",
    "no barrier, wrong result",
    "no wait, wrong result",
    "different barriers, lanes of a warp wait at different barriers",
    "unequal products, lanes of a warp multiplied unequally often",
    "no phase, wrong result",
    "endless phase, threads wait for what nobody does",
    "arrival too many, more arrivals at a barrier than it waits for",
    "copy left alone, ended before all copies had arrived",
    "operand written early, wrong result",
    "product left alone, a thread ended with products that nobody waited for",
    "operand of another swizzle, an operand of wgmma that is not swizzled by 128 bytes",
    "beside: no dependency, access to global memory before the grid in front has ended",
    "beside: skipped dependency, thread 3: a thread ended before the grid in front"
  })
  void noticesFaults(String kernel, String message) {
    assertThat(emulator.emulator_fault(kernel)).contains(message);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "barrier",
        "wait",
        "phase",
        "beyond the matrix",
        "operand written after",
        "beside: dependency"
      })
  void acceptsWhatIsRight(String kernel) {
    assertThat(emulator.emulator_fault(kernel)).isNull();
  }

  @Test
  void refusesArgumentsOfAnotherLength() {
    assertThat(emulator.emulator_launch("gelu_row", 1, 1, 1, 128, 0, new byte[8], 8, 0))
        .isEqualTo("gelu_row: 8 bytes of arguments, expected 32");
    assertThat(emulator.emulator_launch("none", 1, 1, 1, 128, 0, new byte[8], 8, 0))
        .isEqualTo("no kernel none");
  }
}
