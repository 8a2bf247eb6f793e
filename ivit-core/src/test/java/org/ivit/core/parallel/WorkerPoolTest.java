package org.ivit.core.parallel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicReference;
import org.ivit.core.InputException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WorkerPoolTest {
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 7})
  void runsEveryTaskOnce(int threads) {
    try (WorkerPool pool = new WorkerPool(threads)) {
      assertThat(pool.threads()).isEqualTo(threads);
      for (int tasks : new int[] {0, 1, 2, 3, 5, 64, 1000}) {
        AtomicIntegerArray count = new AtomicIntegerArray(tasks);
        pool.run(tasks, count::incrementAndGet);
        for (int i = 0; i < tasks; i++) {
          assertThat(count.get(i)).isEqualTo(1);
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 7})
  void splitsByLengthAndThreadsOnly(int threads) {
    try (WorkerPool pool = new WorkerPool(threads)) {
      for (int n : new int[] {0, 1, 2, 3, 6, 7, 8, 197, Integer.MAX_VALUE}) {
        for (int minChunk : new int[] {1, 2, 5, 100}) {
          List<List<Integer>> first = split(pool, n, minChunk);
          assertThat(split(pool, n, minChunk)).isEqualTo(first);
          assertThat(first).hasSize(pool.parts(n, minChunk)).hasSizeLessThanOrEqualTo(threads);
          int at = 0;
          for (List<Integer> part : first) {
            assertThat(part.get(0)).isEqualTo(at);
            at = part.get(1);
            if (first.size() > 1) {
              assertThat(at - part.get(0)).isGreaterThanOrEqualTo(minChunk);
            }
          }
          assertThat(at).isEqualTo(n);
        }
      }
    }
  }

  private static List<List<Integer>> split(WorkerPool pool, int n, int minChunk) {
    int parts = pool.parts(n, minChunk);
    List<List<Integer>> split = new ArrayList<>();
    int[][] found = new int[parts][];
    pool.ranges(n, minChunk, (from, to, part) -> found[part] = new int[] {from, to});
    for (int[] part : found) {
      split.add(List.of(part[0], part[1]));
    }
    return split;
  }

  @Test
  void usesSeveralThreadsAtOnce() {
    try (WorkerPool pool = new WorkerPool(3)) {
      CountDownLatch all = new CountDownLatch(3);
      AtomicInteger met = new AtomicInteger();
      pool.run(
          3,
          task -> {
            all.countDown();
            try {
              if (all.await(20, TimeUnit.SECONDS)) {
                met.incrementAndGet();
              }
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
          });
      assertThat(met).hasValue(3);
    }
  }

  @Test
  void wakesParkedWorkers() throws InterruptedException {
    try (WorkerPool pool = new WorkerPool(2)) {
      for (int round = 0; round < 5; round++) {
        Thread.sleep(20);
        usesBoth(pool);
      }
    }
  }

  private static void usesBoth(WorkerPool pool) {
    CountDownLatch both = new CountDownLatch(2);
    pool.run(
        2,
        task -> {
          both.countDown();
          try {
            assertThat(both.await(20, TimeUnit.SECONDS)).isTrue();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        });
  }

  @Test
  void manyShortCallsLoseNothing() {
    try (WorkerPool pool = new WorkerPool(4)) {
      long[] sums = new long[4];
      for (int call = 0; call < 20_000; call++) {
        pool.ranges(
            101,
            1,
            (from, to, part) -> {
              for (int i = from; i < to; i++) {
                sums[part] += i;
              }
            });
      }
      assertThat(sums[0] + sums[1] + sums[2] + sums[3]).isEqualTo(20_000L * 5050);
    }
  }

  @Test
  void servesManyCallersAtOnce() throws InterruptedException {
    try (WorkerPool pool = new WorkerPool(3)) {
      AtomicInteger wrong = new AtomicInteger();
      Thread[] callers = new Thread[40];
      for (int c = 0; c < callers.length; c++) {
        callers[c] =
            new Thread(
                () -> {
                  for (int call = 0; call < 200; call++) {
                    AtomicInteger sum = new AtomicInteger();
                    pool.run(10, sum::addAndGet);
                    if (sum.get() != 45) {
                      wrong.incrementAndGet();
                    }
                  }
                });
        callers[c].start();
      }
      for (Thread caller : callers) {
        caller.join();
      }
      assertThat(wrong).hasValue(0);
    }
  }

  @Test
  void nestedCallsRunInTheirThreadWithTheSameSplit() {
    try (WorkerPool pool = new WorkerPool(3)) {
      List<List<Integer>> outside = split(pool, 100, 1);
      AtomicInteger elsewhere = new AtomicInteger();
      AtomicInteger other = new AtomicInteger();
      pool.run(
          8,
          task -> {
            Thread thread = Thread.currentThread();
            pool.ranges(
                100,
                1,
                (from, to, part) -> {
                  if (Thread.currentThread() != thread) {
                    elsewhere.incrementAndGet();
                  }
                  if (!outside.get(part).equals(List.of(from, to))) {
                    other.incrementAndGet();
                  }
                });
          });
      assertThat(elsewhere).hasValue(0);
      assertThat(other).hasValue(0);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 4})
  void passesOnWhatATaskThrowsAndStaysUsable(int threads) {
    try (WorkerPool pool = new WorkerPool(threads)) {
      for (int bad = 0; bad < 5; bad++) {
        int task = bad;
        assertThatThrownBy(
                () ->
                    pool.run(
                        5,
                        i -> {
                          if (i == task) {
                            throw new InputException("task " + task);
                          }
                        }))
            .isInstanceOf(InputException.class)
            .hasMessage("task " + bad);
        assertThatThrownBy(
                () ->
                    pool.run(
                        5,
                        i -> {
                          throw new AssertionError("error");
                        }))
            .isInstanceOf(AssertionError.class);
        runsAll(pool);
      }
    }
  }

  private static void runsAll(WorkerPool pool) {
    AtomicInteger sum = new AtomicInteger();
    pool.run(100, sum::addAndGet);
    assertThat(sum).hasValue(4950);
  }

  @Test
  void anInterruptedCallerStillFinishesAndStaysInterrupted() throws InterruptedException {
    try (WorkerPool pool = new WorkerPool(2)) {
      AtomicReference<String> result = new AtomicReference<>();
      Thread caller =
          new Thread(
              () -> {
                Thread.currentThread().interrupt();
                AtomicInteger sum = new AtomicInteger();
                pool.run(100, sum::addAndGet);
                result.set(sum.get() + " " + Thread.currentThread().isInterrupted());
              });
      caller.start();
      caller.join();
      assertThat(result).hasValue("4950 true");
    }
  }

  @Test
  void aClosedPoolRefusesAndTheSharedOneStaysOpen() {
    WorkerPool pool = new WorkerPool(2);
    pool.close();
    assertThatThrownBy(() -> pool.run(1, i -> {})).isInstanceOf(IllegalStateException.class);
    WorkerPool shared = WorkerPool.shared();
    shared.close();
    runsAll(shared);
    assertThat(WorkerPool.shared()).isSameAs(shared);
    assertThat(WorkerPool.shared(shared.threads())).isSameAs(shared);
    assertThat(WorkerPool.shared(3).threads()).isEqualTo(3);
  }

  @Test
  void refusesSenselessNumbers() {
    assertThatThrownBy(() -> new WorkerPool(0)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new WorkerPool(1025)).isInstanceOf(IllegalArgumentException.class);
    try (WorkerPool pool = new WorkerPool(1)) {
      assertThatThrownBy(() -> pool.run(-1, i -> {})).isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> pool.ranges(5, 0, (a, b, p) -> {}))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void readsTheProperty() {
    String before = System.getProperty("ivit.threads");
    try {
      System.setProperty("ivit.threads", " 3 ");
      assertThat(WorkerPool.configuredThreads()).isEqualTo(3);
      for (String bad : new String[] {"0", "-1", "two", "1025"}) {
        System.setProperty("ivit.threads", bad);
        assertThatThrownBy(WorkerPool::configuredThreads)
            .isInstanceOf(InputException.class)
            .hasMessage("property ivit.threads: '" + bad + "', expected a number from 1 to 1024");
      }
      System.clearProperty("ivit.threads");
      assertThat(WorkerPool.configuredThreads()).isPositive();
    } finally {
      if (before == null) {
        System.clearProperty("ivit.threads");
      } else {
        System.setProperty("ivit.threads", before);
      }
    }
  }
}
