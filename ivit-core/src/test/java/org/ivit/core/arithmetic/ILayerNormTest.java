package org.ivit.core.arithmetic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigInteger;
import java.util.Arrays;
import java.util.Random;
import org.ivit.core.InputException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ILayerNormTest {

  @Test
  void squareRootsAtTheEdgesOfSquares() {
    for (long root = 1; root < 70_000; root++) {
      assertEdges(root);
    }
    for (int bit = 17; bit <= 31; bit++) {
      for (long offset = -300; offset <= 300; offset++) {
        assertEdges((1L << bit) + offset);
      }
    }
    Random random = new Random(9);
    for (int i = 0; i < 100_000; i++) {
      assertEdges(1 + (random.nextLong() >>> (33 + random.nextInt(30))));
    }
    assertThat(ILayerNorm.isqrt(0)).isZero();
    assertThat(ILayerNorm.isqrt(3_037_000_499L * 3_037_000_499L)).isEqualTo(3_037_000_499L);
    assertThat(ILayerNorm.isqrt(3_037_000_499L * 3_037_000_499L - 1)).isEqualTo(3_037_000_498L);
    assertThat(ILayerNorm.isqrt(Long.MAX_VALUE)).isEqualTo(3_037_000_499L);
    assertThatThrownBy(() -> ILayerNorm.isqrt(-1)).isInstanceOf(IllegalArgumentException.class);
  }

  /** r²−1, r² and (r+1)²−1 = r²+2r. */
  private static void assertEdges(long root) {
    long square = root * root;
    if (ILayerNorm.isqrt(square - 1) != root - 1
        || ILayerNorm.isqrt(square) != root
        || ILayerNorm.isqrt(square + 2 * root) != root) {
      throw new AssertionError("isqrt around the square of " + root);
    }
  }

  @Test
  void theMeanRoundsTiesUp() {
    assertThat(ILayerNorm.mean(1, 2)).isEqualTo(1);
    assertThat(ILayerNorm.mean(-1, 2)).isEqualTo(0);
    assertThat(ILayerNorm.mean(3, 2)).isEqualTo(2);
    assertThat(ILayerNorm.mean(-3, 2)).isEqualTo(-1);
    assertThat(ILayerNorm.mean(-4, 3)).isEqualTo(-1);
    assertThat(ILayerNorm.mean(-5, 3)).isEqualTo(-2);
    assertThat(ILayerNorm.mean(-32768L * 1000, 1000)).isEqualTo(-32768);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 16, 33, 192, 1024})
  void rowsFollowTheFormulaInWholeNumbers(int channels) {
    Random random = new Random(channels);
    for (int spread : new int[] {1, 2, 5, 300, 65536}) {
      short[] x = new short[channels + 1];
      for (int c = 0; c <= channels; c++) {
        x[c] = (short) (random.nextInt(spread) - spread / 2);
      }
      assertNormalised(x, 1, channels);
    }
    short[] spike = new short[channels];
    Arrays.fill(spike, Short.MIN_VALUE);
    spike[channels / 2] = Short.MAX_VALUE;
    assertNormalised(spike, 0, channels);
    short[] alternating = new short[channels];
    for (int c = 0; c < channels; c++) {
      alternating[c] = c % 2 == 0 ? Short.MIN_VALUE : Short.MAX_VALUE;
    }
    assertNormalised(alternating, 0, channels);
  }

  private static void assertNormalised(short[] x, int offset, int channels) {
    BigInteger sum = BigInteger.ZERO;
    for (int c = 0; c < channels; c++) {
      sum = sum.add(BigInteger.valueOf(x[offset + c]));
    }
    BigInteger width = BigInteger.valueOf(2L * channels);
    BigInteger numerator = sum.shiftLeft(1).add(BigInteger.valueOf(channels));
    BigInteger mean = numerator.subtract(numerator.mod(width)).divide(width);
    BigInteger squares = BigInteger.ZERO;
    for (int c = 0; c < channels; c++) {
      squares = squares.add(BigInteger.valueOf(x[offset + c]).subtract(mean).pow(2));
    }
    BigInteger std = squares.sqrt().max(BigInteger.ONE);
    BigInteger factor = BigInteger.valueOf(Integer.MAX_VALUE).divide(std);
    int[] y = new int[channels];
    assertThat(ILayerNorm.normalise(x, offset, channels, 0, y)).isEqualTo(std.intValueExact());
    for (int c = 0; c < channels; c++) {
      assertThat(y[c])
          .isEqualTo(
              BigInteger.valueOf(x[offset + c])
                  .subtract(mean)
                  .multiply(factor)
                  .shiftRight(1)
                  .intValueExact())
          .isBetween(-(1 << 30), 1 << 30);
    }
  }

  @Test
  void aSpikeReachesTheBoundOfTheNormalisedValue() {
    short[] x = {0, -1};
    int[] y = new int[2];
    // mean = 0 after rounding −1/2 up, std = 1: y' = (−1·(2^31−1)) >> 1.
    assertThat(ILayerNorm.normalise(x, 0, 2, 0, y)).isEqualTo(1);
    assertThat(y).containsExactly(0, -(1 << 30));
  }

  @Test
  void eightBitCodesNormaliseAlike() {
    byte[] narrow = {-128, 127, 3, 9, -44, 0};
    short[] wide = {-128, 127, 3, 9, -44, 0};
    int[] y = new int[5];
    int[] expected = new int[5];
    int std = ILayerNorm.normalise(wide, 1, 5, 0, expected);
    assertThat(ILayerNorm.normalise(narrow, 1, 5, 0, y)).isEqualTo(std);
    assertThat(y).isEqualTo(expected);
    ILayerNorm.Constants constants =
        ILayerNorm.constants(
            "norm",
            new float[] {1, 2, 3, 4, 5},
            new float[] {5, 4, 3, 2, 1},
            0,
            0.001f,
            OutlierChannels.NONE);
    short[] out = new short[6];
    short[] outWide = new short[6];
    ILayerNorm.row(narrow, 1, 5, constants, 16, out, 1);
    ILayerNorm.row(wide, 1, 5, constants, 16, outWide, 1);
    assertThat(out).isEqualTo(outWide);
    assertThat(out[0]).isZero();
    for (int c = 0; c < 5; c++) {
      assertThat(out[1 + c]).isEqualTo(Quantizer.clamp16(ILayerNorm.output(y[c], constants, c)));
    }
  }

  @Test
  void aConstantRowGivesTheBiasAlone() {
    short[] x = new short[4];
    Arrays.fill(x, (short) 32767);
    ILayerNorm.Constants constants =
        ILayerNorm.constants(
            "norm",
            new float[] {1, 1, 1, 1},
            new float[] {0.25f, -0.25f, 100f, -100f},
            0,
            0.5f,
            OutlierChannels.NONE);
    byte[] out = new byte[4];
    ILayerNorm.row(x, 0, 4, constants, 8, out, 0);
    // ±1/2 rounds up.
    assertThat(out).containsExactly(1, 0, 127, -128);
  }

  @Test
  void theShiftIsTheLargestThatFits() {
    Random random = new Random(10);
    for (int i = 0; i < 2000; i++) {
      int channels = 1 + random.nextInt(9);
      float[] gamma = new float[channels];
      float[] beta = new float[channels];
      for (int c = 0; c < channels; c++) {
        gamma[c] = Math.scalb((float) random.nextGaussian(), random.nextInt(40) - 20);
        beta[c] = Math.scalb((float) random.nextGaussian(), random.nextInt(60) - 30);
      }
      float scale = Math.scalb(1 + random.nextFloat(), random.nextInt(10) - 8);
      ILayerNorm.Constants constants =
          ILayerNorm.constants("norm", gamma, beta, 0, scale, OutlierChannels.NONE);
      boolean next = true;
      for (int c = 0; c < channels; c++) {
        double g = (double) gamma[c] * Math.sqrt(channels) / 0x1p30 / (double) scale;
        double h = (double) beta[c] / (double) scale;
        int e = constants.shift();
        assertThat((double) constants.multiplier()[c]).isEqualTo(Math.rint(g * pow(e)) + 0.0);
        assertThat((double) constants.offset()[c]).isEqualTo(Math.rint(h * pow(e)) + 0.0);
        assertThat(Math.abs(h) * pow(e)).isLessThan(0x1p61);
        next &= Math.abs(Math.rint(g * pow(e + 1))) < 0x1p31 && Math.abs(h) * pow(e + 1) < 0x1p61;
      }
      assertThat(next && constants.shift() < 62).isFalse();
    }
  }

  private static double pow(int e) {
    return (double) (1L << e);
  }

  @Test
  void extremesOfTheConstantsFit63Bits() {
    int[] m = {Integer.MAX_VALUE, -Integer.MAX_VALUE};
    long b = (1L << 61) - 1;
    for (int y : new int[] {-(1 << 30), 0, 1 << 30}) {
      for (long offset : new long[] {b, -b, 0}) {
        ILayerNorm.Constants constants =
            new ILayerNorm.Constants(m, new long[] {offset, offset}, 62);
        for (int c = 0; c < 2; c++) {
          BigInteger expected =
              BigInteger.valueOf(y)
                  .multiply(BigInteger.valueOf(m[c]))
                  .add(BigInteger.valueOf(offset))
                  .add(BigInteger.ONE.shiftLeft(61))
                  .shiftRight(62);
          assertThat(ILayerNorm.output(y, constants, c)).isEqualTo(expected.longValueExact());
        }
      }
    }
  }

  @Test
  void outlierChannelsAreBuiltForTheLargerScale() {
    float[] gamma = {1.3f, -40f, 0.7f};
    float[] beta = {0.1f, 3f, -0.2f};
    OutlierChannels outliers = new OutlierChannels(new int[] {1}, 4);
    ILayerNorm.Constants constants = ILayerNorm.constants("norm", gamma, beta, 0, 0.05f, outliers);
    // The same layer with γ and β of that channel divided by 2^4, which is exact.
    ILayerNorm.Constants divided =
        ILayerNorm.constants(
            "norm",
            new float[] {1.3f, -2.5f, 0.7f},
            new float[] {0.1f, 0.1875f, -0.2f},
            0,
            0.05f,
            OutlierChannels.NONE);
    assertThat(constants.multiplier()).isEqualTo(divided.multiplier());
    assertThat(constants.offset()).isEqualTo(divided.offset());
    assertThat(constants.shift()).isEqualTo(divided.shift());
    assertThatThrownBy(
            () ->
                ILayerNorm.constants(
                    "norm", gamma, beta, 0, 0.05f, new OutlierChannels(new int[] {3}, 4)))
        .hasMessage("norm: outlier channel 3, expected below 3");
  }

  @Test
  void zeroParametersGiveTheLargestShift() {
    ILayerNorm.Constants constants =
        ILayerNorm.constants("norm", new float[2], new float[2], 0, 0.1f, OutlierChannels.NONE);
    assertThat(constants.shift()).isEqualTo(62);
    assertThat(constants.multiplier()).containsOnly(0);
    assertThat(constants.offset()).containsOnly(0L);
  }

  @Test
  void refusesByName() {
    float[] one = {1f};
    assertThatThrownBy(
            () ->
                ILayerNorm.constants(
                    "blocks.2.norm1", new float[] {Float.NaN}, one, 0, 0.1f, OutlierChannels.NONE))
        .isInstanceOf(InputException.class)
        .hasMessage("blocks.2.norm1.weight: element 0 is NaN, expected a finite value");
    assertThatThrownBy(
            () ->
                ILayerNorm.constants(
                    "norm",
                    one,
                    new float[] {Float.POSITIVE_INFINITY},
                    0,
                    0.1f,
                    OutlierChannels.NONE))
        .hasMessage("norm.bias: element 0 is Infinity, expected a finite value");
    assertThatThrownBy(
            () -> ILayerNorm.constants("norm", one, new float[2], 0, 0.1f, OutlierChannels.NONE))
        .hasMessage("norm.bias: 2 elements, expected 1");
    assertThatThrownBy(() -> ILayerNorm.constants("norm", one, one, 0, 0f, OutlierChannels.NONE))
        .hasMessage("norm: scale 0.0, expected a positive finite value");
    assertThatThrownBy(
            () ->
                ILayerNorm.constants(
                    "norm", new float[] {1e30f}, one, 0, 0.1f, OutlierChannels.NONE))
        .hasMessage("norm: refused, its weight or bias is too large for the scale 0.1");
    assertThatThrownBy(
            () ->
                ILayerNorm.constants(
                    "norm", one, new float[] {-1e30f}, 0, 0.1f, OutlierChannels.NONE))
        .hasMessage("norm: refused, its weight or bias is too large for the scale 0.1");
  }

  @Test
  void refusesConstantsThatAreNone() {
    assertThatThrownBy(() -> new ILayerNorm.Constants(new int[1], new long[2], 30))
        .isInstanceOf(InputException.class)
        .hasMessage("LayerNorm: 1 multipliers, 2 offsets");
    assertThatThrownBy(() -> new ILayerNorm.Constants(new int[1], new long[1], 63))
        .hasMessage("LayerNorm: shift 63, expected 1 to 62");
    assertThatThrownBy(() -> new ILayerNorm.Constants(new int[1], new long[1], 0))
        .hasMessage("LayerNorm: shift 0, expected 1 to 62");
    assertThatThrownBy(
            () -> new ILayerNorm.Constants(new int[] {Integer.MIN_VALUE}, new long[1], 30))
        .hasMessageContaining("multiplier -2147483648");
    assertThatThrownBy(() -> new ILayerNorm.Constants(new int[1], new long[] {1L << 61}, 30))
        .hasMessageContaining("offset 2305843009213693952 in channel 0");
  }
}
