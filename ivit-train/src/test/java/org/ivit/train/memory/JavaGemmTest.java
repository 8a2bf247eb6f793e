package org.ivit.train.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class JavaGemmTest {
  private final SplittableRandom random = new SplittableRandom(5);

  static Stream<int[]> sizes() {
    return Stream.of(
        new int[] {1, 1, 1},
        new int[] {3, 5, 2},
        new int[] {7, 513, 65},
        new int[] {2, 511, 64},
        new int[] {70, 9, 130},
        new int[] {1, 600, 3});
  }

  private Reals numbers(RealType type, int n, boolean integers) {
    double[] values = new double[n];
    for (int i = 0; i < n; i++) {
      values[i] = integers ? random.nextInt(-128, 128) : random.nextGaussian();
    }
    return Reals.of(type, values);
  }

  @ParameterizedTest
  @MethodSource("sizes")
  void multipliesAsOpenBlas(int[] size) {
    for (RealType type : RealType.values()) {
      for (int way = 0; way < 16; way++) {
        multiply(type, size, (way & 1) != 0, (way & 2) != 0, (way & 4) != 0, (way & 8) != 0);
      }
    }
  }

  private void multiply(
      RealType type, int[] size, boolean tA, boolean tB, boolean add, boolean integers) {
    int m = size[0];
    int n = size[1];
    int k = size[2];
    int aStride = (tA ? m : k) + 2;
    int bStride = (tB ? k : n) + 1;
    Reals a = numbers(type, 5 + (tA ? k : m) * aStride, integers);
    Reals b = numbers(type, 3 + (tB ? n : k) * bStride, integers);
    Reals expected = numbers(type, 4 + m * (n + 3), integers);
    Reals found = Reals.of(type, expected.doubles());
    double alpha = integers ? 1 : -0.75;
    double beta = add ? 1 : 0;
    RealMatrix left = new RealMatrix(a, 5, m, k, aStride, tA);
    RealMatrix right = new RealMatrix(b, 3, k, n, bStride, tB);
    new OpenBlasGemm().multiply(alpha, left, right, beta, new RealMatrix(expected, 4, m, n, n + 3));
    new JavaGemm().multiply(alpha, left, right, beta, new RealMatrix(found, 4, m, n, n + 3));
    if (integers) {
      assertThat(found.doubles()).isEqualTo(expected.doubles());
      return;
    }
    double rounding = type == RealType.FLOAT32 ? 2e-6 : 1e-14;
    for (int i = 0; i < found.size(); i++) {
      assertThat(found.get(i)).isCloseTo(expected.get(i), within(rounding * (k + 4)));
    }
  }

  @ParameterizedTest
  @EnumSource(RealType.class)
  void scalesWhatIsThere(RealType type) {
    RealMatrix one = new RealMatrix(Reals.of(type, 2), 0, 1, 1);
    Reals c = Reals.of(type, 3);
    new JavaGemm().multiply(2, one, one, 0.5, new RealMatrix(c, 0, 1, 1));
    assertThat(c.get(0)).isEqualTo(9.5);
  }

  @ParameterizedTest
  @EnumSource(RealType.class)
  void checksSizesAndTypes(RealType type) {
    JavaGemm gemm = new JavaGemm();
    Reals four = Reals.of(type, 1, 2, 3, 4);
    Reals other =
        Reals.of(type == RealType.FLOAT32 ? RealType.FLOAT64 : RealType.FLOAT32, 1, 2, 3, 4);
    RealMatrix square = new RealMatrix(four, 0, 2, 2);
    RealMatrix outside = new RealMatrix(four, 0, 2, 3);
    assertThatThrownBy(() -> gemm.multiply(1, outside, square, 0, square))
        .isInstanceOf(IndexOutOfBoundsException.class)
        .hasMessageContaining("matrix A");
    RealMatrix ofOther = new RealMatrix(other, 0, 2, 2);
    assertThatThrownBy(() -> gemm.multiply(1, square, ofOther, 0, square))
        .isInstanceOf(IllegalArgumentException.class);
    RealMatrix row = new RealMatrix(four, 0, 1, 2);
    assertThatThrownBy(() -> gemm.multiply(1, row, square, 0, square))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("[1][2] and [2][2] to [2][2]");
    assertThatThrownBy(() -> gemm.multiply(1, square, square, 0, square.transpose()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("transposed");
  }
}
