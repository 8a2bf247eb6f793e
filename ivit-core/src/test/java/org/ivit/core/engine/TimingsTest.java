package org.ivit.core.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class TimingsTest {
  @Test
  void readsQuantilesBetweenRanks() {
    double[] times = IntStream.rangeClosed(0, 100).mapToDouble(i -> 100 - i).toArray();
    Timings timings = new Timings(times);
    assertThat(timings.calls()).isEqualTo(101);
    assertThat(timings.least()).isEqualTo(0);
    assertThat(timings.median()).isEqualTo(50);
    assertThat(timings.quantile(0.9)).isCloseTo(90, within(1e-9));
    assertThat(timings.quantile(0.995)).isCloseTo(99.5, within(1e-9));
    assertThat(times[0]).isEqualTo(100);
    assertThatThrownBy(() -> new Timings(new double[0]))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
