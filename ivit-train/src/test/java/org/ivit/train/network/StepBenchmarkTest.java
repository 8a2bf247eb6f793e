package org.ivit.train.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.ivit.core.architecture.Architecture;
import org.ivit.core.family.Vit;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.core.scheme.Scheme;
import org.junit.jupiter.api.Test;

class StepBenchmarkTest {
  private static final Architecture TINY =
      new Vit("tiny", 16, 8, 16, 1, 2, 32, 4, 1e-6).architecture();

  @Test
  void timesStepsOfBothPrecisions() {
    try (WorkerPool pool = new WorkerPool(2)) {
      for (Scheme scheme : new Scheme[] {null, Scheme.EXACT}) {
        StepBenchmark.Result result = StepBenchmark.run(TINY, scheme, 3, 1, 4, pool);
        assertThat(result.quantized()).isEqualTo(scheme != null);
        assertThat(result.fastest()).isPositive().isLessThanOrEqualTo(result.median());
        assertThat(result.median()).isLessThanOrEqualTo(result.slowest());
        assertThat(result.toString())
            .startsWith("tiny, " + (scheme == null ? "float" : "integer") + " step, batch 3");
      }
    }
  }

  @Test
  void refusesToTimeNothing() {
    try (WorkerPool pool = new WorkerPool(1)) {
      assertThatThrownBy(() -> StepBenchmark.run(TINY, null, 0, 1, 1, pool))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> StepBenchmark.run(TINY, null, 1, 1, 0, pool))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }
}
