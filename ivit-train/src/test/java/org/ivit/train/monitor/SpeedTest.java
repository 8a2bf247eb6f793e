package org.ivit.train.monitor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.concurrent.atomic.AtomicLong;
import org.ivit.core.dataset.PictureLoader;
import org.ivit.train.loading.Loading;
import org.junit.jupiter.api.Test;

class SpeedTest {
  private static final long SECOND = 1_000_000_000L;

  private final AtomicLong clock = new AtomicLong(5);
  private final Speed speed = new Speed(clock::get);

  private double step(double seconds, double waited, double busy, int pictures) {
    clock.addAndGet((long) (seconds * SECOND));
    return speed.add(
        pictures,
        new PictureLoader.Work((long) (waited * SECOND), (long) (busy * SECOND), pictures, 4));
  }

  @Test
  void nothingYet() {
    assertThat(speed.loading().bottleneck()).isFalse();
    assertThat(speed.loading().picturesPerSecond()).isZero();
  }

  @Test
  void sharesAndRatesFollowTheSteps() {
    for (int i = 0; i < 200; i++) {
      assertThat(step(0.5, 0.31, 2, 60)).isCloseTo(120, within(1e-6));
    }
    Loading slow = speed.loading();
    assertThat(slow.waited()).isCloseTo(0.62, within(1e-9));
    assertThat(slow.picturesPerSecond()).as("four threads, all busy").isCloseTo(120, within(1e-6));
    assertThat(slow.bottleneck()).isTrue();
    assertThat(slow)
        .hasToString(
            "the loader is the bottleneck: 62 % of the time waits for pictures,"
                + " 120 pictures/s decoded on 4 threads");
    for (int i = 0; i < 200; i++) {
      step(0.5, 0.05, 0.5, 60);
    }
    Loading fast = speed.loading();
    assertThat(fast.waited()).isCloseTo(0.1, within(1e-6));
    assertThat(fast.picturesPerSecond())
        .as("idle threads could do more")
        .isCloseTo(480, within(1e-3));
    assertThat(fast.bottleneck()).isFalse();
  }

  @Test
  void oneSlowStepAmongManyIsNoBottleneck() {
    for (int i = 0; i < 30; i++) {
      step(1, 0, 1, 8);
    }
    step(1.5, 0.5, 1, 8);
    assertThat(speed.loading().bottleneck()).isFalse();
    for (int i = 0; i < 10; i++) {
      step(1.5, 0.5, 1, 8);
    }
    assertThat(speed.loading().bottleneck()).isTrue();
  }

  @Test
  void picturesOfOtherMachinesAreNotWaitedForHere() {
    clock.addAndGet(SECOND);
    assertThat(speed.add(16, PictureLoader.Work.NONE)).isEqualTo(16);
    assertThat(speed.loading()).isEqualTo(Loading.NONE);
    assertThat(new Loading(0.5, 1, 1))
        .hasToString(
            "the loader is the bottleneck: 50 % of the time waits for pictures, 1 pictures/s decoded"
                + " on 1 thread");
  }
}
