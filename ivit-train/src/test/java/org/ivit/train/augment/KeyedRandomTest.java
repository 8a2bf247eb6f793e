package org.ivit.train.augment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.HashSet;
import java.util.Set;
import java.util.stream.IntStream;
import org.ivit.train.augment.KeyedRandom.Use;
import org.junit.jupiter.api.Test;

class KeyedRandomTest {
  @Test
  void numbersFollowFromTheKey() {
    Set<Long> first = new HashSet<>();
    for (Use use : Use.values()) {
      for (long seed = 0; seed < 5; seed++) {
        for (long epoch = -1; epoch < 5; epoch++) {
          for (long picture = 0; picture < 50; picture++) {
            long value = new KeyedRandom(use, seed, epoch, picture).nextLong();
            assertThat(new KeyedRandom(use, seed, epoch, picture).nextLong()).isEqualTo(value);
            assertThat(first.add(value)).isTrue();
          }
        }
      }
    }
  }

  /** The same on every machine and Java version: a run can be resumed elsewhere. */
  @Test
  void numbersAreFixedForEver() {
    assertThat(new KeyedRandom(Use.PICTURE, 42, 3, 17).nextLong()).isEqualTo(7043611507812157965L);
    assertThat(new KeyedRandom(Use.ORDER, 1, 0).permutation(8))
        .containsExactly(1, 6, 3, 7, 2, 5, 0, 4);
  }

  @Test
  void aKeyIsWhereItsNumbersStart() {
    KeyedRandom random = new KeyedRandom(Use.ORDER, 0);
    random.setSeed(KeyedRandom.key(Use.DEPTH, 42, 3, 17));
    assertThat(random.nextLong()).isEqualTo(new KeyedRandom(Use.DEPTH, 42, 3, 17).nextLong());
    assertThat(KeyedRandom.key(Use.DEPTH, 42, 3, 17))
        .isNotEqualTo(KeyedRandom.key(Use.PICTURE, 42, 3, 17))
        .isNotEqualTo(KeyedRandom.key(Use.DEPTH, 42, 17, 3));
  }

  @Test
  void firstNumbersOfNeighbouringKeysAreUniformAndUnrelated() {
    int count = 20_000;
    double sum = 0;
    double square = 0;
    double product = 0;
    double before = 0.5;
    int[] bins = new int[10];
    for (int i = 0; i < count; i++) {
      double x = new KeyedRandom(Use.PICTURE, 7, 0, i).nextDouble();
      sum += x;
      square += x * x;
      product += (x - 0.5) * (before - 0.5);
      bins[(int) (x * 10)]++;
      before = x;
    }
    assertThat(sum / count).isCloseTo(0.5, within(0.01));
    assertThat(square / count).isCloseTo(1.0 / 3, within(0.01));
    assertThat(product / count * 12).isCloseTo(0, within(0.03));
    for (int bin : bins) {
      assertThat(bin).isBetween(1850, 2150);
    }
  }

  @Test
  void permutationsHoldEachNumberOnceAndPlaceItAnywhere() {
    int[] seen = new int[5];
    for (int epoch = 0; epoch < 5000; epoch++) {
      int[] order = EpochOrder.shuffled(5, 3, epoch);
      assertThat(order).containsExactlyInAnyOrder(0, 1, 2, 3, 4);
      seen[order[2]]++;
    }
    for (int count : seen) {
      assertThat(count).isBetween(850, 1150);
    }
    assertThat(EpochOrder.shuffled(0, 3, 0)).isEmpty();
    assertThat(EpochOrder.shuffled(100, 3, 1)).isNotEqualTo(IntStream.range(0, 100).toArray());
  }
}
