package org.ivit.core.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.ivit.core.engine.choice.Engines;
import org.ivit.core.testing.ObservedModel;
import org.junit.jupiter.api.Test;

class EngineBenchmarkTest {
  @Test
  void readsQuantilesBetweenRanks() {
    double[] times = {5, 1, 4, 2, 3};
    EngineBenchmark.Result result = EngineBenchmark.result("e", 2, times);
    assertThat(result.median()).isEqualTo(3);
    assertThat(result.p5()).isCloseTo(1.2, within(1e-12));
    assertThat(result.p95()).isCloseTo(4.8, within(1e-12));
    assertThat(result.picturesPerSecond()).isCloseTo(1000 / 3.0, within(1e-9));
    assertThat(result)
        .hasToString(
            "e; batch 2: 3.00 ms a picture (5% 1.20, 95% 4.80; 5 calls), 333.3 pictures/s");
    assertThat(EngineBenchmark.result("e", 1, new double[] {7}).p95()).isEqualTo(7);
  }

  @Test
  void timesTheCallsThatItWasToldTo() {
    try (Engine engine = Engines.open(ObservedModel.small(), "cpu")) {
      EngineBenchmark.Result result = EngineBenchmark.run(engine, 3, 2, 5);
      assertThat(result.calls()).isEqualTo(5);
      assertThat(result.batch()).isEqualTo(3);
      assertThat(result.engine()).isEqualTo(engine.description());
      assertThat(result.p5()).isPositive().isLessThanOrEqualTo(result.median());
      assertThat(result.median()).isLessThanOrEqualTo(result.p95());
      assertThatThrownBy(() -> EngineBenchmark.run(engine, 0, 0, 1))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("batch 0, warm-up 0, calls 1");
    }
  }
}
