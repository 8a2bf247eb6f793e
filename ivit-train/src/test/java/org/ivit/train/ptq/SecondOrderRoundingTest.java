package org.ivit.train.ptq;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.withinPercentage;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.ivit.core.InputException;
import org.ivit.core.arithmetic.LinearQuantizer;
import org.ivit.core.arithmetic.QuantizedLinear;
import org.ivit.core.weight.WeightCoding;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SecondOrderRoundingTest {
  private static float[] weight(Random random, int outputs, int inputs) {
    float[] weight = new float[outputs * inputs];
    for (int i = 0; i < weight.length; i++) {
      weight[i] = (float) random.nextGaussian();
    }
    return weight;
  }

  /** Mean of xᵀ·x over {@code rows} vectors of which each is a mixture of {@code sources}. */
  private static double[] moment(Random random, int rows, int inputs, int sources) {
    double[][] mix = new double[sources][inputs];
    for (double[] row : mix) {
      Arrays.setAll(row, i -> random.nextGaussian());
    }
    double[] moment = new double[inputs * inputs];
    for (int r = 0; r < rows; r++) {
      double[] x = new double[inputs];
      for (double[] source : mix) {
        double amount = random.nextGaussian();
        for (int i = 0; i < inputs; i++) {
          x[i] += amount * source[i];
        }
      }
      for (int i = 0; i < inputs; i++) {
        for (int j = 0; j < inputs; j++) {
          moment[i * inputs + j] += x[i] * x[j] / rows;
        }
      }
    }
    return moment;
  }

  private static double error(float[] a, float[] b, double[] moment, int inputs) {
    double sum = 0;
    for (int row = 0; row < a.length; row += inputs) {
      for (int i = 0; i < inputs; i++) {
        for (int j = 0; j < inputs; j++) {
          sum +=
              (a[row + i] - b[row + i])
                  * moment[i * inputs + j]
                  * (double) (a[row + j] - b[row + j]);
        }
      }
    }
    return sum;
  }

  private static float[] nearest(float[] weight, int outputs, int inputs, float[] scale) {
    QuantizedLinear codes =
        LinearQuantizer.quantize("layer", weight, null, outputs, inputs, 1, scale);
    float[] values = new float[weight.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = codes.weight()[i] * scale[i / inputs];
    }
    return values;
  }

  @ParameterizedTest
  @CsvSource({"3,8,2", "5,33,4", "7,64,12"})
  void lessErrorAtTheOutputThanNearestWhereInputsGoTogether(int outputs, int inputs, int sources) {
    Random random = new Random(inputs);
    float[] weight = weight(random, outputs, inputs);
    double[] moment = moment(random, 400, inputs, sources);
    float[] scale = SecondOrderRounding.scales(weight, inputs);
    float[] rounded = new SecondOrderRounding("layer", moment, inputs).round(weight, scale);
    float[] nearest = nearest(weight, outputs, inputs, scale);
    assertThat(error(rounded, weight, moment, inputs))
        .isLessThan(0.5 * error(nearest, weight, moment, inputs));
    // What it gives are codes, which the quantizer finds again with the frozen scales.
    assertThat(nearest(rounded, outputs, inputs, scale)).isEqualTo(rounded);
  }

  /** With the moment's damping, 0.01 of its mean diagonal. */
  @ParameterizedTest
  @CsvSource({"3,8,2", "5,33,4"})
  void saysWhatItCosts(int outputs, int inputs, int sources) {
    Random random = new Random(inputs);
    float[] weight = weight(random, outputs, inputs);
    double[] moment = moment(random, 400, inputs, sources);
    GridFit fit = GridFit.of(WeightCoding.GROUP, 4, weight, diagonal(moment, inputs));
    double[] costs = new double[outputs];
    float[] rounded =
        new SecondOrderRounding("layer", moment, inputs)
            .round(weight, fit.scale(), fit.grid(), costs);
    double mean = Arrays.stream(diagonal(moment, inputs)).average().orElseThrow();
    for (int k = 0; k < inputs; k++) {
      moment[k * inputs + k] += 0.01 * mean;
    }
    for (int o = 0; o < outputs; o++) {
      float[] own = Arrays.copyOfRange(weight, o * inputs, (o + 1) * inputs);
      float[] codes = Arrays.copyOfRange(rounded, o * inputs, (o + 1) * inputs);
      assertThat(costs[o]).isCloseTo(error(codes, own, moment, inputs), withinPercentage(0.01));
    }
  }

  private static double[] diagonal(double[] moment, int inputs) {
    return IntStream.range(0, inputs).mapToDouble(k -> moment[k * inputs + k]).toArray();
  }

  @ParameterizedTest
  @CsvSource({"1,1", "4,1", "3,17"})
  void isNearestWhereInputsAreIndependent(int outputs, int inputs) {
    Random random = new Random(inputs);
    float[] weight = weight(random, outputs, inputs);
    double[] moment = new double[inputs * inputs];
    for (int i = 0; i < inputs; i++) {
      moment[i * inputs + i] = i;
    }
    float[] scale = SecondOrderRounding.scales(weight, inputs);
    assertThat(new SecondOrderRounding("layer", moment, inputs).round(weight, scale))
        .isEqualTo(nearest(weight, outputs, inputs, scale));
  }

  @Test
  void saturatesInsteadOfLeavingTheCodes() {
    // Two inputs that are the same: the second makes up for the first until its codes end.
    float[] weight = {1.27f, 1.274f};
    double[] moment = {1, 1, 1, 1};
    float[] scale = {0.01f};
    float[] rounded = new SecondOrderRounding("layer", moment, 2).round(weight, scale);
    assertThat(rounded).containsExactly(127 * 0.01f, 127 * 0.01f);
  }

  @Test
  void namesTheLayerWhoseInputsAreNotNumbers() {
    assertThatThrownBy(() -> new SecondOrderRounding("head", new double[] {Double.NaN}, 1))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith("head: weightRounding: secondOrder: ");
  }
}
