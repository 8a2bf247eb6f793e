package org.ivit.core.engine.reference;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.ivit.core.Size;
import org.ivit.core.architecture.Windows;
import org.ivit.core.arithmetic.Dyadic;
import org.ivit.core.graph.Pool;

/** What only a Architecture does, over odd sizes and several pictures. */
class SwinKernelsPropertiesTest {
  private static byte[] bytes(int n, long seed) {
    byte[] codes = new byte[n];
    new Random(seed).nextBytes(codes);
    return codes;
  }

  @Property(tries = 100)
  void windowsGoBackToThePictures(
      @ForAll @IntRange(min = 1, max = 7) int window,
      @ForAll @IntRange(min = 1, max = 3) int count,
      @ForAll @IntRange(min = 1, max = 3) int pictures,
      @ForAll @IntRange(min = 1, max = 5) int channels,
      @ForAll boolean shifted,
      @ForAll long seed) {
    Windows windows = Windows.of(new Size(window * count, 2 * window), window, shifted);
    int tokens = windows.resolution().area();
    byte[] x = bytes(pictures * tokens * channels, seed);
    byte[] ordered = NodeKernels.partition(x, windows.order(), channels);
    int[] order = windows.order();
    for (int i = 0; i < x.length; i++) {
      int picture = i / (tokens * channels);
      int place = i / channels % tokens;
      assertThat(ordered[i])
          .isEqualTo(x[(picture * tokens + order[place]) * channels + i % channels]);
    }
    assertThat(NodeKernels.reverse(NodeKernels.widen(ordered), windows.order(), channels))
        .isEqualTo(NodeKernels.widen(x));
  }

  /** As the published code slices: x[0::2, 0::2], x[1::2, 0::2], x[0::2, 1::2], x[1::2, 1::2]. */
  @Property(tries = 100)
  void mergingPutsTheFourNeighboursSideBySide(
      @ForAll @IntRange(min = 1, max = 7) int halfHeight,
      @ForAll @IntRange(min = 1, max = 7) int halfWidth,
      @ForAll @IntRange(min = 1, max = 3) int pictures,
      @ForAll @IntRange(min = 1, max = 5) int channels,
      @ForAll long seed) {
    Size resolution = new Size(2 * halfHeight, 2 * halfWidth);
    short[] x = NodeKernels.widen(bytes(pictures * resolution.area() * channels, seed));
    short[] merged = NodeKernels.neighbours(x, resolution, channels);
    assertThat(merged).hasSameSizeAs(x);
    int[] firstRow = {0, 1, 0, 1};
    int[] firstColumn = {0, 0, 1, 1};
    int i = 0;
    for (int n = 0; n < pictures; n++) {
      for (int row = 0; row < resolution.height(); row += 2) {
        for (int column = 0; column < resolution.width(); column += 2) {
          for (int slice = 0; slice < 4; slice++) {
            for (int c = 0; c < channels; c++) {
              int from =
                  (n * resolution.height() + row + firstRow[slice]) * resolution.width()
                      + column
                      + firstColumn[slice];
              assertThat(merged[i++]).isEqualTo(x[from * channels + c]);
            }
          }
        }
      }
    }
  }

  @Property(tries = 200)
  void thePoolRoundsTheSumOnce(
      @ForAll @IntRange(min = 1, max = 60) int tokens,
      @ForAll @IntRange(min = 1, max = 3) int pictures,
      @ForAll @IntRange(min = 1, max = 5) int channels,
      @ForAll @IntRange(min = 1, max = 999) int inputSteps,
      @ForAll @IntRange(min = 1, max = 999) int outputSteps,
      @ForAll long seed) {
    byte[] x = bytes(pictures * tokens * channels, seed);
    Pool pool = Pool.of(1e-3f * inputSteps, tokens, 1e-3f * outputSteps);
    byte[] out =
        NodeKernels.pool8(pool, NodeKernels.sums(NodeKernels.widen(x), tokens, 0, channels));
    assertThat(out).hasSize(pictures * channels);
    Dyadic m = pool.multiplier();
    for (int i = 0; i < out.length; i++) {
      BigInteger sum = BigInteger.ZERO;
      for (int t = 0; t < tokens; t++) {
        sum = sum.add(BigInteger.valueOf(x[(i / channels * tokens + t) * channels + i % channels]));
      }
      BigInteger rounded =
          sum.multiply(BigInteger.valueOf(m.multiplier()))
              .add(BigInteger.ONE.shiftLeft(m.shift() - 1))
              .shiftRight(m.shift());
      BigInteger clamped = rounded.max(BigInteger.valueOf(-128)).min(BigInteger.valueOf(127));
      assertThat(out[i]).isEqualTo(clamped.byteValueExact());
    }
  }
}
