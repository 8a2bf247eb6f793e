package org.ivit.export.cli.console;

import static org.assertj.core.api.Assertions.assertThat;

import org.ivit.core.engine.Timings;
import org.junit.jupiter.api.Test;

class BusyMachineTest {
  @Test
  void thereMustBeRoomForTheThreads() {
    assertThat(BusyMachine.ofLoad(0.3, 2, 2)).isNull();
    assertThat(BusyMachine.ofLoad(0.3, 2, 4)).isNull();
    assertThat(BusyMachine.ofLoad(8, 16, 4)).isNull();
    assertThat(BusyMachine.ofLoad(-1, 2, 2)).isNull();
    assertThat(BusyMachine.ofLoad(1.6, 2, 2))
        .isEqualTo(
            "the machine was busy before measuring: load 1.6 on 2 processors, and 2 threads to"
                + " come");
  }

  @Test
  void timesMustLieTogether() {
    assertThat(BusyMachine.ofSpread(1, new Timings(new double[] {1, 1, 1.1, 1.2, 1.3}))).isNull();
    assertThat(BusyMachine.ofSpread(8, new Timings(new double[] {1, 1, 1, 3, 3})))
        .isEqualTo(
            "the times of batch 8 spread widely, as on a busy machine: the 90th percentile is 3.0"
                + " medians");
  }
}
