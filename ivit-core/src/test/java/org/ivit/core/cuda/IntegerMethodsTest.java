package org.ivit.core.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.ivit.core.arithmetic.ILayerNorm;
import org.junit.jupiter.api.Test;

/** Quotients and roots without a division are exact. */
class IntegerMethodsTest {
  private final Emulator emulator = Emulator.load();
  private final Random random = new Random(1);

  @Test
  void quotientsOfTheLargestInteger() {
    for (int d = 1; d < 20_000; d++) {
      checkQuotient(d);
    }
    for (int i = 0; i < 20_000; i++) {
      checkQuotient(1 + (random.nextInt(Integer.MAX_VALUE) >> random.nextInt(31)));
    }
    for (int bit = 0; bit < 31; bit++) {
      checkQuotient(1 << bit);
      checkQuotient((1 << bit) - 1 + (bit == 0 ? 1 : 0));
      checkQuotient(Math.max(1, (1 << bit) + 1));
    }
    checkQuotient(Integer.MAX_VALUE);
  }

  private void checkQuotient(int d) {
    assertThat(emulator.emulator_divide_most(d)).as("%d", d).isEqualTo(Integer.MAX_VALUE / d);
  }

  @Test
  void roots() {
    for (long v = 0; v < 20_000; v++) {
      checkRoot(v);
    }
    for (int i = 0; i < 20_000; i++) {
      checkRoot((random.nextLong() >>> 17) >> random.nextInt(40));
      long root = random.nextInt(11_863_283);
      checkRoot(root * root);
      checkRoot(Math.max(0, root * root - 1));
    }
    checkRoot((1L << 47) - 1);
  }

  /** An epsilon takes sums of squares beyond what deviations alone can reach. */
  @Test
  void rootsOfLargeSums() {
    for (int i = 0; i < 20_000; i++) {
      checkRoot(random.nextLong() >>> 2);
      long root = (1L << 31) - 1 - (random.nextInt() >>> random.nextInt(32) >>> 1);
      checkRoot(root * root);
      checkRoot(root * root - 1);
    }
    for (int bit = 46; bit < 62; bit++) {
      checkRoot(1L << bit);
      checkRoot((1L << bit) - 1);
    }
    checkRoot((1L << 62) - 1);
  }

  private void checkRoot(long v) {
    assertThat(emulator.emulator_square_root(v)).as("%d", v).isEqualTo((int) ILayerNorm.isqrt(v));
  }

  @Test
  void quotientsByDivisorsThatTheHostKnows() {
    for (int i = 0; i < 20_000; i++) {
      int d = 1 + (random.nextInt(1 << 30) >> random.nextInt(30));
      Divisor divisor = Divisor.of(d);
      for (int n : new int[] {random.nextInt(Integer.MAX_VALUE), Integer.MAX_VALUE, d, d - 1}) {
        assertThat(emulator.emulator_divide(n, divisor.multiplier(), divisor.shift()))
            .as("%d / %d", n, d)
            .isEqualTo(n / d);
      }
    }
    Divisor largest = Divisor.of(1 << 30);
    assertThat(emulator.emulator_divide(Integer.MAX_VALUE, largest.multiplier(), largest.shift()))
        .isEqualTo(1);
  }
}
