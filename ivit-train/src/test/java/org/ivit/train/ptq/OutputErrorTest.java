package org.ivit.train.ptq;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.Silu;
import org.ivit.train.memory.OpenBlasGemm;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OutputErrorTest {
  private static float[] random(Random random, int n, float spread) {
    float[] x = new float[n];
    for (int i = 0; i < n; i++) {
      x[i] = spread * (float) random.nextGaussian();
    }
    return x;
  }

  /** The definition, in float64; limits are exact multiples of a code so that no tie can differ. */
  private static double slow(
      float[] rows,
      int inputs,
      float[] weight,
      DoubleUnaryOperator f,
      float limit,
      OutlierChannels outliers) {
    double sum = 0;
    for (int row = 0; row < rows.length; row += inputs) {
      for (int out = 0; out < weight.length; out += inputs) {
        double product = 0;
        for (int c = 0; c < inputs; c++) {
          double scale = limit / 127.0 * (outliers.contains(c) ? outliers.factor() : 1);
          double code = Math.max(-128, Math.min(127, Math.rint(rows[row + c] / scale)));
          double error =
              f == null
                  ? code * scale - rows[row + c]
                  : f.applyAsDouble(code * scale) - f.applyAsDouble(rows[row + c]);
          product += weight[out + c] * error;
        }
        sum += product * product;
      }
    }
    return sum * inputs / rows.length;
  }

  @ParameterizedTest
  @CsvSource({"1,1,1", "3,5,2", "40,7,9", "64,33,17"})
  void isTheMeanSquaredErrorAtTheOutput(int rows, int inputs, int outputs) {
    Random random = new Random(rows);
    float[] x = random(random, rows * inputs, 2);
    float[] weight = random(random, outputs * inputs, 0.3f);
    OutlierChannels last = new OutlierChannels(new int[] {inputs - 1}, 2);
    for (DoubleUnaryOperator f : new DoubleUnaryOperator[] {null, v -> v > 0 ? v : 0}) {
      OutputError error = new OutputError(x, inputs, weight, f, false, new OpenBlasGemm());
      for (OutlierChannels outliers : new OutlierChannels[] {OutlierChannels.NONE, last}) {
        double expected = slow(x, inputs, weight, f, 1.984375f, outliers);
        assertThat(error.of(1.984375f, outliers)).isCloseTo(expected, within(1e-4 * expected));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"1,1,1", "3,5,2", "40,7,9"})
  void aPathReplacesTheErrors(int rows, int inputs, int outputs) {
    Random random = new Random(rows);
    float[] x = random(random, rows * inputs, 2);
    float[] factors = random(random, rows * inputs, 3);
    float[] weight = random(random, outputs * inputs, 0.3f);
    for (DoubleUnaryOperator f : new DoubleUnaryOperator[] {null, Silu::value}) {
      OutputError.Path path =
          (row, error) -> {
            for (int c = 0; c < inputs; c++) {
              error[c] *= factors[row + c];
            }
          };
      OutputError error = OutputError.along(path, x, null, inputs, weight, f, new OpenBlasGemm());
      double expected = 0;
      for (int row = 0; row < rows; row++) {
        float[] scaled = weight.clone();
        for (int i = 0; i < scaled.length; i++) {
          scaled[i] *= factors[row * inputs + i % inputs];
        }
        float[] one = Arrays.copyOfRange(x, row * inputs, (row + 1) * inputs);
        expected += slow(one, inputs, scaled, f, 1.984375f, OutlierChannels.NONE) / rows;
      }
      assertThat(error.of(1.984375f, OutlierChannels.NONE))
          .isCloseTo(expected, within(1e-4 * expected));
    }
  }

  /** The definition, in float64. */
  private static double slowDistance(
      float[] rows, int inputs, float[] weight, float[] bias, float limit) {
    double sum = 0;
    for (int row = 0; row < rows.length; row += inputs) {
      double product = 0;
      double exact = 0;
      double rounded = 0;
      for (int out = 0; out < bias.length; out++) {
        double y = bias[out];
        double z = bias[out];
        for (int c = 0; c < inputs; c++) {
          double scale = limit / 127.0;
          double code = Math.max(-128, Math.min(127, Math.rint(rows[row + c] / scale)));
          y += (double) weight[out * inputs + c] * rows[row + c];
          z += weight[out * inputs + c] * code * scale;
        }
        product += y * z;
        exact += y * y;
        rounded += z * z;
      }
      sum += 1 - product / Math.sqrt(exact * rounded);
    }
    return sum * inputs / rows.length;
  }

  /** Small limits turn features around, so that cosines below 0 are among them. */
  @ParameterizedTest
  @CsvSource({"1,3,2", "3,5,2", "40,7,9", "64,33,17"})
  void isOneLessCosineWhereTheOutputIsAFeature(int rows, int inputs, int outputs) {
    Random random = new Random(rows);
    float[] x = random(random, rows * inputs, 2);
    float[] weight = random(random, outputs * inputs, 0.3f);
    float[] bias = random(random, outputs, 1);
    OutputError error =
        new OutputError(x, null, inputs, weight, null, false, bias, new OpenBlasGemm());
    for (float limit : new float[] {1.984375f, 127f / 64 / 128, 127f}) {
      double expected = slowDistance(x, inputs, weight, bias, limit);
      assertThat(error.of(limit, OutlierChannels.NONE))
          .isCloseTo(expected, within(1e-3 * expected + 1e-9));
    }
  }

  @Test
  void aFeatureOfZerosIsLikeNone() {
    OutputError zeros =
        new OutputError(
            new float[] {0.1f},
            null,
            1,
            new float[] {1},
            null,
            false,
            new float[1],
            new OpenBlasGemm());
    assertThat(zeros.of(127f, OutlierChannels.NONE)).isEqualTo(1);
    assertThat(zeros.of(0.1f, OutlierChannels.NONE)).isZero();
  }

  @ParameterizedTest
  @CsvSource({"false", "true"})
  void aRowOfWeightThreeCountsAsThreeRows(boolean feature) {
    Random random = new Random(1);
    int inputs = 5;
    float[] weight = random(random, 3 * inputs, 0.3f);
    float[] bias = feature ? random(random, 3, 1) : null;
    float[] thrice = random(random, 4 * inputs, 2);
    System.arraycopy(thrice, 0, thrice, inputs, inputs);
    System.arraycopy(thrice, 0, thrice, 2 * inputs, inputs);
    float[] once = Arrays.copyOfRange(thrice, 2 * inputs, 4 * inputs);
    OutputError repeated =
        new OutputError(thrice, null, inputs, weight, null, false, bias, new OpenBlasGemm());
    OutputError weighted =
        new OutputError(
            once, new float[] {1.5f, 0.5f}, inputs, weight, null, false, bias, new OpenBlasGemm());
    for (float limit : new float[] {0.5f, 2, 8}) {
      double expected = repeated.of(limit, OutlierChannels.NONE);
      assertThat(weighted.of(limit, OutlierChannels.NONE))
          .isCloseTo(expected, within(1e-5 * expected));
    }
  }
}
