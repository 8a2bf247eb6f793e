package org.ivit.core.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Random;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.ivit.core.InputException;
import org.ivit.core.image.Rgb;
import org.junit.jupiter.api.Test;

class PictureLoaderTest {
  /** Pictures that take unequal time; those in {@code corrupt} fail. */
  private record Slow(int size, List<Integer> corrupt, AtomicInteger started) implements Dataset {
    Slow(int size, Integer... corrupt) {
      this(size, List.of(corrupt), new AtomicInteger());
    }

    @Override
    public List<String> classNames() {
      return List.of("even", "odd");
    }

    @Override
    public String name(int i) {
      return "picture " + i;
    }

    @Override
    public int label(int i) {
      return i % 2;
    }

    @Override
    public Rgb picture(int i) {
      started.incrementAndGet();
      try {
        Thread.sleep(i * 7 % 3);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      if (corrupt.contains(i)) {
        throw new InputException(name(i) + ": corrupt");
      }
      return new Rgb(1, 1, new byte[] {(byte) i, 0, 0});
    }
  }

  private static int[] shuffled(int size) {
    List<Integer> order = new ArrayList<>(IntStream.range(0, size).boxed().toList());
    Collections.shuffle(order, new Random(1));
    return order.stream().mapToInt(i -> i).toArray();
  }

  private static List<Integer> values(PictureLoader<Integer> loader) {
    List<Integer> values = new ArrayList<>();
    while (loader.hasNext()) {
      PictureLoader.Loaded<Integer> loaded = loader.next();
      assertThat(loaded.label()).isEqualTo(loaded.index() % 2);
      values.add(loaded.value());
    }
    return values;
  }

  private static PictureLoader<Integer> loader(
      Dataset dataset, int[] order, OnCorrupt policy, int threads, int ahead) {
    return new PictureLoader<>(
        dataset, order, (picture, i) -> picture.at(0, 0, 0) * 1000 + i, policy, threads, ahead);
  }

  @Test
  void orderDoesNotDependOnThreads() {
    int[] order = shuffled(60);
    List<Integer> expected = IntStream.of(order).mapToObj(i -> i * 1000 + i).toList();
    for (int threads : new int[] {1, 2, 5}) {
      for (int ahead : new int[] {1, 3, 100}) {
        try (PictureLoader<Integer> loader =
            loader(new Slow(60), order, OnCorrupt.FAIL, threads, ahead)) {
          assertThat(values(loader)).isEqualTo(expected);
          assertThatThrownBy(loader::next).isInstanceOf(NoSuchElementException.class);
        }
      }
    }
  }

  @Test
  void corruptPicturesAreSkippedInOrder() {
    Slow set = new Slow(10, 0, 4, 9);
    try (PictureLoader<Integer> loader =
        loader(set, PictureLoader.inOrder(set), OnCorrupt.SKIP, 3, 4)) {
      assertThat(values(loader)).containsExactly(1001, 2002, 3003, 5005, 6006, 7007, 8008);
      assertThat(loader.skipped())
          .containsExactly("picture 0: corrupt", "picture 4: corrupt", "picture 9: corrupt");
    }
  }

  @Test
  void corruptPictureIsFatalByName() {
    Slow set = new Slow(10, 2);
    try (PictureLoader<Integer> loader =
        loader(set, PictureLoader.inOrder(set), OnCorrupt.FAIL, 2, 4)) {
      assertThat(loader.next().index()).isZero();
      assertThat(loader.next().index()).isEqualTo(1);
      assertThatThrownBy(loader::next)
          .isInstanceOf(InputException.class)
          .hasMessage("picture 2: corrupt");
    }
  }

  @Test
  void noMoreThanAheadAreStarted() throws InterruptedException {
    Slow set = new Slow(100);
    try (PictureLoader<Integer> loader =
        loader(set, PictureLoader.inOrder(set), OnCorrupt.FAIL, 4, 5)) {
      Thread.sleep(60);
      assertThat(set.started().get()).isLessThanOrEqualTo(5);
      assertThat(loader.next().index()).isZero();
    }
  }

  @Test
  void closingEarlyStopsTheThreads() throws InterruptedException {
    Slow set = new Slow(5000);
    PictureLoader<Integer> loader =
        loader(set, PictureLoader.inOrder(set), OnCorrupt.FAIL, 2, 5000);
    loader.next();
    loader.close();
    Thread.sleep(50);
    int started = set.started().get();
    Thread.sleep(50);
    assertThat(set.started().get()).isEqualTo(started).isLessThan(5000);
  }

  @Test
  void errorsOfTheTransformAreNotTakenForCorruptPictures() {
    Slow set = new Slow(2);
    try (PictureLoader<Integer> loader =
        new PictureLoader<>(
            set,
            PictureLoader.inOrder(set),
            (picture, i) -> {
              throw new UnsupportedOperationException("a bug");
            },
            OnCorrupt.SKIP,
            1,
            1)) {
      assertThatThrownBy(loader::hasNext)
          .isInstanceOf(IllegalStateException.class)
          .hasRootCauseMessage("a bug");
    }
  }

  private static void await(BooleanSupplier condition) throws InterruptedException {
    for (int i = 0; i < 10_000 && !condition.getAsBoolean(); i++) {
      Thread.sleep(1);
    }
    assertThat(condition.getAsBoolean()).isTrue();
  }

  @Test
  void isReadyWhenSoManyPicturesAreLoaded() throws InterruptedException {
    Semaphore permits = new Semaphore(0);
    Slow set = new Slow(5);
    try (PictureLoader<Integer> loader =
        new PictureLoader<>(
            set,
            PictureLoader.inOrder(set),
            (picture, i) -> {
              permits.acquireUninterruptibly();
              return i;
            },
            OnCorrupt.FAIL,
            1,
            3)) {
      assertThat(loader.ready(0)).isTrue();
      assertThat(loader.ready(1)).isFalse();
      permits.release(2);
      await(() -> loader.ready(2));
      assertThat(loader.ready(3)).isFalse();
      permits.release(1);
      await(() -> loader.ready(3));
      assertThat(loader.ready(4)).as("never loaded ahead").isFalse();
      assertThat(loader.work().pictures()).isEqualTo(3);
      assertThat(loader.work().waitedNanos()).isZero();
      PictureLoader.Work before = loader.work();
      permits.release(2);
      assertThat(values(loader)).containsExactly(0, 1, 2, 3, 4);
      assertThat(loader.ready(1)).isFalse();
      PictureLoader.Work work = loader.work().since(before);
      assertThat(work.pictures()).isEqualTo(2);
      assertThat(work.threads()).isEqualTo(1);
      assertThat(work.waitedNanos()).isPositive();
      assertThat(work.busyNanos()).isPositive();
    }
  }

  @Test
  void isNotReadyWhereAPictureFailed() throws InterruptedException {
    Slow set = new Slow(4, 1);
    try (PictureLoader<Integer> loader =
        loader(set, PictureLoader.inOrder(set), OnCorrupt.SKIP, 1, 4)) {
      await(() -> loader.work().pictures() == 4);
      assertThat(loader.ready(1)).isTrue();
      assertThat(loader.ready(2)).isFalse();
      assertThat(loader.next().value()).isZero();
      assertThat(loader.ready(1)).isFalse();
      assertThat(loader.hasNext()).isTrue();
      assertThat(loader.ready(2)).isTrue();
      assertThat(values(loader)).containsExactly(2002, 3003);
    }
  }
}
