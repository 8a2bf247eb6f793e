package org.ivit.train.parameter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.core.weight.GroupGrid;
import org.ivit.core.weight.TableGrid;
import org.ivit.core.weight.WeightCoding;
import org.ivit.core.weight.WeightGrid;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class GridFormTest {
  private static final int OUTPUTS = 5;
  private static final int INPUTS = 21;

  private final SplittableRandom random = new SplittableRandom(5);

  static List<Arguments> all() {
    List<Arguments> all = new ArrayList<>();
    for (WeightCoding coding : WeightCoding.values()) {
      for (int bits = 2; bits <= 7; bits++) {
        all.add(Arguments.of(coding, bits));
      }
    }
    return all;
  }

  private float[] scales() {
    float[] scales = new float[OUTPUTS];
    for (int c = 0; c < OUTPUTS; c++) {
      scales[c] = (float) Math.exp(random.nextDouble(-9, -3));
    }
    return scales;
  }

  @ParameterizedTest
  @MethodSource("all")
  void pointsBringGridAndScaleBack(WeightCoding coding, int bits) {
    for (int i = 0; i < 200; i++) {
      WeightGrid grid = GridWeights.grid(coding, bits, OUTPUTS, INPUTS, random);
      float[] scales = scales();
      GridForm form = GridForm.of(grid, true);
      float[] points = form.points(grid, scales);
      assertThat(points).hasSize(OUTPUTS * form.points(INPUTS));
      GridForm.Rounded rounded = form.rounded(points, OUTPUTS, INPUTS);
      assertThat(rounded.scale()).isEqualTo(scales);
      assertSame(rounded.grid(), grid);
    }
  }

  private static void assertSame(WeightGrid found, WeightGrid expected) {
    for (int c = 0; c < OUTPUTS; c++) {
      for (int k = 0; k < INPUTS; k++) {
        for (int i = 0; i < 1 << expected.bits(); i++) {
          assertThat(found.code(c, k, i)).isEqualTo(expected.code(c, k, i));
        }
      }
    }
  }

  private static byte[] indices(GridForm.Rounded rounded, int channel, float[] weight) {
    byte[] indices = new byte[weight.length];
    float reciprocal = Quantizer.reciprocal(rounded.scale()[channel]);
    for (int k = 0; k < weight.length; k++) {
      indices[k] = (byte) rounded.grid().nearest(channel, k, reciprocal * weight[k]);
    }
    return indices;
  }

  /** The value that a point stands for, by its definition, indices held fast. */
  private static double value(GridForm form, double[] points, int[] index, int input) {
    int q = index[input] - (1 << (form.bits() - 1));
    return switch (form.coding()) {
      case UNIFORM -> points[0] * q;
      case TABLE -> points[index[input]] * 127 / 128;
      case GROUP -> {
        int most = GroupGrid.most(form.bits(), form.shift());
        yield points[input / form.size()] * q * most / (Integer.highestOneBit(most) << 1);
      }
    };
  }

  @ParameterizedTest
  @MethodSource("all")
  void gradientsOfPointsAreDifferences(WeightCoding coding, int bits) {
    WeightGrid grid = GridWeights.grid(coding, bits, OUTPUTS, INPUTS, random);
    float[] scales = scales();
    GridForm form = GridForm.of(grid, true);
    int each = form.points(INPUTS);
    GridForm.Rounded rounded = form.rounded(form.points(grid, scales), OUTPUTS, INPUTS);
    for (int c = 0; c < OUTPUTS; c++) {
      float[] weight = new float[INPUTS];
      double[] gradient = new double[INPUTS];
      int[] index = new int[INPUTS];
      for (int k = 0; k < INPUTS; k++) {
        index[k] = random.nextInt(1 << bits);
        weight[k] = grid.code(c, k, index[k]) * scales[c];
        index[k] = grid.nearest(c, k, grid.code(c, k, index[k]));
        gradient[k] = random.nextGaussian();
      }
      double[] expected = new double[each];
      double[] at = new double[each];
      for (int p = 0; p < each; p++) {
        at[p] = form.points(grid, scales)[c * each + p];
      }
      for (int p = 0; p < each; p++) {
        double[] above = at.clone();
        double[] below = at.clone();
        above[p] += 0.5;
        below[p] -= 0.5;
        for (int k = 0; k < INPUTS; k++) {
          double difference = value(form, above, index, k) - value(form, below, index, k);
          expected[p] += gradient[k] * difference;
        }
      }
      double[] found = new double[each];
      double[] weights = gradient.clone();
      form.gradient(rounded, c, weight, indices(rounded, c, weight), weights, found);
      for (int p = 0; p < each; p++) {
        assertThat(found[p]).isCloseTo(expected[p], within(1e-9));
      }
      assertThat(weights).isEqualTo(gradient);
    }
  }

  /** What a point stands for is what the grid decodes to, but for rounding. */
  @ParameterizedTest
  @MethodSource("all")
  void codesAreThoseOfThePoints(WeightCoding coding, int bits) {
    WeightGrid grid = GridWeights.grid(coding, bits, OUTPUTS, INPUTS, random);
    float[] scales = scales();
    GridForm form = GridForm.of(grid, true);
    float[] points = form.points(grid, scales);
    int each = form.points(INPUTS);
    for (int c = 0; c < OUTPUTS; c++) {
      double[] own = new double[each];
      for (int p = 0; p < each; p++) {
        own[p] = points[c * each + p];
      }
      for (int k = 0; k < INPUTS; k++) {
        for (int i = 0; i < 1 << bits; i++) {
          int[] index = new int[INPUTS];
          index[k] = i;
          assertThat(value(form, own, index, k) / scales[c])
              .isCloseTo(grid.code(c, k, i), within(0.5001));
        }
      }
    }
  }

  @Test
  void weightsBeyondTheEndsHaveNoGradient() {
    GridForm form = new GridForm(WeightCoding.UNIFORM, 4, 0, 0, true);
    GridForm.Rounded rounded = form.rounded(new float[] {0.5f}, 1, 6);
    float[] weight = {-5, -5, 5, 5, 3.5f, -4};
    double[] gradient = {1, -1, 1, -1, -1, 1};
    double[] points = new double[1];
    form.gradient(rounded, 0, weight, indices(rounded, 0, weight), gradient, points);
    assertThat(gradient).containsExactly(0, 0, 0, 0, -1, 1);
    assertThat(points[0]).isEqualTo(-8 + 8 + 7 - 7 - 7 - 8);
  }

  @Test
  void pointsThatCrossStaySorted() {
    GridForm form = new GridForm(WeightCoding.TABLE, 2, 0, 0, true);
    GridForm.Rounded rounded = form.rounded(new float[] {1, -1.28f, 0.5f, 0}, 1, 3);
    assertThat(((TableGrid) rounded.grid()).table()).containsExactly(-127, 0, 50, 99);
    assertThat(rounded.order()).containsExactly(1, 3, 2, 0);
    double[] points = new double[4];
    float[] weight = {1, 0.5f, -1.28f};
    double[] gradient = {1, 2, 3};
    form.gradient(rounded, 0, weight, indices(rounded, 0, weight), gradient, points);
    assertThat(points).containsExactly(127 / 128.0, 3 * 127 / 128.0, 2 * 127 / 128.0, 0);
  }

  @Test
  void zerosAndNegativeStepsHaveASmallestScale() {
    for (WeightCoding coding : WeightCoding.values()) {
      GridForm form = new GridForm(coding, 4, coding == WeightCoding.GROUP ? 8 : 0, 0, true);
      float[] points = new float[form.points(INPUTS)];
      assertThat(form.rounded(points, 1, INPUTS).scale()).containsExactly(Quantizer.MIN_SCALE);
    }
    GridForm group = new GridForm(WeightCoding.GROUP, 4, 8, 0, true);
    WeightGrid grid = group.rounded(new float[] {-1, 2, 0.01f}, 1, INPUTS).grid();
    assertThat(((GroupGrid) grid).multiplier()).containsExactly(1, 15, 1);
  }

  @Test
  void aNarrowGridComesBackOnAFinerScale() {
    TableGrid narrow = new TableGrid(2, new byte[] {-40, -10, 10, 50});
    GridForm form = GridForm.of(narrow, true);
    GridForm.Rounded rounded = form.rounded(form.points(narrow, new float[] {1}), 1, 1);
    assertThat(((TableGrid) rounded.grid()).table()).containsExactly(-102, -25, 25, 127);
    assertThat(rounded.scale()[0] * 127).isCloseTo(50, within(1e-4f));
  }
}
