package org.ivit.core.engine.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class DerivedGpuTest {
  private static final DerivedGpu H100 = DerivedGpu.ALL.get(0);
  private static final DerivedGpu T4 = DerivedGpu.ALL.get(4);

  @Test
  void residentBlocksAreBoundByRegistersSharedMemoryAndWarps() {
    assertThat(H100.resident(128, 256, 50_000)).isEqualTo(2);
    assertThat(H100.resident(129, 256, 50_000)).isEqualTo(1);
    assertThat(H100.resident(32, 256, 115_712)).isEqualTo(2);
    assertThat(H100.resident(32, 256, 115_713)).isEqualTo(1);
    assertThat(H100.resident(32, 1024, 0)).isEqualTo(2);
    assertThat(T4.resident(32, 1024, 0)).isEqualTo(1);
    assertThat(H100.resident(16, 32, 0)).isEqualTo(32);
  }

  @Test
  void aTuringsBlockMayHaveAllSharedMemory() {
    assertThat(T4.sharedBytes()).isEqualTo(65_536);
    assertThat(H100.sharedBytes()).isEqualTo(232_448);
  }
}
