package org.ivit.train.ptq;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.core.weight.GroupGrid;
import org.ivit.core.weight.TableGrid;
import org.ivit.core.weight.WeightCoding;
import org.ivit.core.weight.WeightGrid;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class GridFitTest {
  private static double error(GridFit fit, float[] weight, double[] diagonal, int output) {
    int inputs = diagonal.length;
    WeightGrid grid = fit.grid();
    double error = 0;
    for (int k = 0; k < inputs; k++) {
      double value = weight[output * inputs + k] / (double) fit.scale()[output];
      double lost =
          (value - grid.code(output, k, grid.nearest(output, k, value))) * fit.scale()[output];
      error += diagonal[k] * lost * lost;
    }
    return error;
  }

  private static float[] normal(Random random, int size) {
    float[] weight = new float[size];
    for (int i = 0; i < size; i++) {
      weight[i] = (float) random.nextGaussian() * 0.05f;
    }
    return weight;
  }

  private static double[] positive(Random random, int size) {
    return random.doubles(size, 0, 2).toArray();
  }

  @Property(tries = 120)
  void gridsFitTheLayerAndHoldIts(
      @ForAll @IntRange(min = 0) int seed,
      @ForAll WeightCoding coding,
      @ForAll @IntRange(min = 4, max = 6) int bits,
      @ForAll @IntRange(min = 1, max = 70) int inputs) {
    Random random = new Random(seed);
    int outputs = 3;
    float[] weight = normal(random, outputs * inputs);
    double[] diagonal = positive(random, inputs);
    GridFit fit = GridFit.of(coding, bits, weight, diagonal);
    assertThat(fit.grid().bits()).isEqualTo(bits);
    assertThat(fit.grid().coding()).isEqualTo(coding);
    fit.grid().requireSize("layer", outputs, inputs);
    for (int c = 0; c < outputs; c++) {
      double all = 0;
      for (int k = 0; k < inputs; k++) {
        all += diagonal[k] * weight[c * inputs + k] * weight[c * inputs + k];
      }
      // A uniform 4-bit grid over six standard deviations loses about 2 %.
      assertThat(error(fit, weight, diagonal, c)).isLessThanOrEqualTo(0.06 * all + 1e-12);
    }
  }

  @ParameterizedTest
  @EnumSource(WeightCoding.class)
  void channelsOfZerosStayZero(WeightCoding coding) {
    float[] weight = new float[2 * 40];
    weight[40] = 1;
    GridFit fit = GridFit.of(coding, 4, weight, positive(new Random(1), 40));
    assertThat(fit.scale()[0]).isEqualTo(Quantizer.MIN_SCALE);
    for (int k = 0; k < 40; k++) {
      assertThat(fit.grid().code(0, k, fit.grid().nearest(0, k, 0))).isZero();
    }
    assertThat(error(fit, weight, new double[40], 0)).isZero();
  }

  @ParameterizedTest
  @EnumSource(WeightCoding.class)
  void inputsWithoutVarianceAreNoTrouble(WeightCoding coding) {
    Random random = new Random(2);
    float[] weight = normal(random, 2 * 33);
    GridFit fit = GridFit.of(coding, 4, weight, new double[33]);
    assertThat(fit.scale()[0]).isPositive();
    assertThat(error(fit, weight, positive(random, 33), 0)).isFinite();
  }

  /** A group's own scale holds its weights where one for the channel would lose them. */
  @Test
  void groupsHaveScalesOfTheirOwn() {
    Random random = new Random(3);
    float[] weight = normal(random, 64);
    for (int k = 32; k < 64; k++) {
      weight[k] *= 10;
    }
    double[] diagonal = new double[64];
    Arrays.fill(diagonal, 1);
    GridFit group = GridFit.of(WeightCoding.GROUP, 4, weight, diagonal);
    byte[] multiplier = ((GroupGrid) group.grid()).multiplier();
    assertThat(multiplier[1]).isEqualTo((byte) 15);
    assertThat(multiplier[0]).isBetween((byte) 1, (byte) 3);
    for (int k = 32; k < 64; k++) {
      diagonal[k] = 0;
    }
    GridFit uniform = GridFit.of(WeightCoding.UNIFORM, 4, weight, diagonal.clone());
    assertThat(uniform.scale()[0]).isPositive();
    Arrays.fill(diagonal, 1);
    assertThat(error(group, weight, diagonal, 0))
        .isLessThan(
            error(GridFit.of(WeightCoding.UNIFORM, 4, weight, diagonal), weight, diagonal, 0));
  }

  /** Sixteen values need sixteen entries. */
  @Test
  void tablesFindFewValues() {
    Random random = new Random(4);
    float[] weight = new float[200];
    for (int i = 0; i < weight.length; i++) {
      weight[i] = (float) Math.scalb((double) (random.nextInt(16) - 7), -3);
    }
    double[] diagonal = new double[200];
    Arrays.fill(diagonal, 1);
    GridFit fit = GridFit.of(WeightCoding.TABLE, 4, weight, diagonal);
    assertThat(((TableGrid) fit.grid()).table()).hasSize(16).isSorted();
    assertThat(error(fit, weight, diagonal, 0) / 200).isLessThan(1e-4);
  }
}
