package org.ivit.train.observer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Node;
import org.ivit.core.architecture.NodeKind;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.core.calibration.NodeValues;
import org.ivit.core.calibration.PublishedObserver;
import org.ivit.core.scheme.Range;
import org.ivit.train.recipe.ObserverChoice;
import org.ivit.train.recipe.ObserverRules;
import org.junit.jupiter.api.Test;

class RangeObserverTest {
  private static float[] gaussian(int n, double std, long seed) {
    Random random = new Random(seed);
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (float) (random.nextGaussian() * std);
    }
    return values;
  }

  private static NodeValues values(String node, float[] x, int channels, OutlierChannels outliers) {
    return new NodeValues(new Node(node, NodeKind.QKV), x, channels, outliers);
  }

  @Test
  void movingMinMaxIsThePublishedObserver() {
    MovingMinMax moving = new MovingMinMax(0.95);
    PublishedObserver published = new PublishedObserver();
    for (int i = 0; i < 50; i++) {
      float[] batch = gaussian(1 + i, Math.exp(i % 7), i);
      assertThat(moving.observe(batch, 8))
          .isEqualTo(published.observe(values("n", batch, 1, OutlierChannels.NONE)));
    }
    Range r = new Range(-0.1f, 0.3f);
    Range b = new Range(-7f, 0.7f);
    assertThat(new MovingMinMax(0.95).move(r, b))
        .isEqualTo(new Range(-0.1f * 0.95f + -7f * 0.05f, 0.3f * 0.95f + 0.7f * 0.05f));
  }

  @Test
  void minMaxKeepsTheExtremes() {
    MinMax observer = new MinMax();
    assertThat(observer.observe(new float[] {2, 3}, 8)).isEqualTo(new Range(2, 3));
    assertThat(observer.observe(new float[] {-1}, 8)).isEqualTo(new Range(-1, 3));
    assertThat(observer.move(new Range(-1, 3), new Range(0, 9))).isEqualTo(new Range(-1, 9));
  }

  @Test
  void fixedIgnoresValues() {
    assertThat(new Fixed(new Range(-2, 1)).observe(new float[] {100}, 8))
        .isEqualTo(new Range(-2, 1));
  }

  @Test
  void percentileLeavesTheGivenShareInside() {
    float[] x = gaussian(100_000, 1, 3);
    Percentile observer = new Percentile(99);
    observer.observe(Arrays.copyOfRange(x, 0, 30_000), 8);
    Range range = observer.observe(Arrays.copyOfRange(x, 30_000, x.length), 8);
    long inside = 0;
    for (float v : x) {
      inside += v >= range.min() && v <= range.max() ? 1 : 0;
    }
    assertThat(inside).isBetween(98_950L, 99_050L);
    assertThat(-range.min()).isEqualTo(range.max());
  }

  @Test
  void percentileHundredIsMinMax() {
    float[] x = gaussian(1000, 5, 4);
    assertThat(new Percentile(100).observe(x, 8)).isEqualTo(Range.of(x));
  }

  @Test
  void histogramDoesNotDependOnTheOrderOfBatches() {
    float[] small = gaussian(500, 0.01, 1);
    float[] large = gaussian(500, 30, 2);
    Percentile one = new Percentile(60);
    one.observe(small, 8);
    Percentile other = new Percentile(60);
    other.observe(large, 8);
    assertThat(one.observe(large, 8)).isEqualTo(other.observe(small, 8));
  }

  @Test
  void constantsAndZerosHaveRanges() {
    for (RangeObserver observer : List.of(new Percentile(99), new Mse())) {
      assertThat(observer.observe(new float[3], 8)).isEqualTo(new Range(0, 0));
    }
    assertThat(new Mse().observe(new float[] {5, 5, 5}, 8).max()).isBetween(4.9f, 5f);
    assertThat(new Mse().observe(new float[] {0x1p-147f}, 8).max()).isBetween(0f, 0x1p-147f);
    assertThat(new Mse().observe(new float[] {-3e38f, 3e38f}, 8).max()).isFinite();
  }

  private static double meanSquaredError(float[] x, Range range, int bits) {
    float scale = range.scale(bits);
    float reciprocal = Quantizer.reciprocal(scale);
    double sum = 0;
    for (float v : x) {
      double error = v - (double) scale * Quantizer.code(v, reciprocal, bits);
      sum += error * error;
    }
    return sum / x.length;
  }

  @Test
  void mseBeatsEveryOtherClip() {
    for (int bits : new int[] {8, 16}) {
      float[] x = gaussian(50_000, 1, 5);
      // a few far values, which are worth clipping with 8 bits and not with 16
      x[10] = 40;
      x[11] = -35;
      x[12] = 39;
      Range range = new Mse().observe(x, bits);
      double found = meanSquaredError(x, range, bits);
      for (double c = 1; c <= 40; c += 0.25) {
        double other = meanSquaredError(x, new Range((float) -c, (float) c), bits);
        assertThat(found).as("%d bits, clip %f", bits, c).isLessThan(other * 1.02);
      }
    }
  }

  @Test
  void mseClipsTheTailOfALaplaceDistribution() {
    float[] x = new float[400_000];
    for (int i = 0; i < x.length; i++) {
      int pair = i / 2;
      double quantile = (pair + 0.5) / 200_000;
      x[i] = (float) (-Math.log(1 - quantile) * (i % 2 == 0 ? 1 : -1));
    }
    // Banner et al. 2019: the clip of a Laplace distribution with 8 bits is 9.9 of its scale
    assertThat(new Mse().observe(x, 8).max()).isBetween(9.6f, 10.2f);
  }

  @Test
  void setFollowsTheRulesAndLeavesOutliersOut() {
    ObserverRules rules =
        new ObserverRules(
            new ObserverChoice.MinMax(),
            new ObserverChoice.MovingMinMax(0.5),
            List.of(
                new ObserverRules.Rule("b*", new ObserverChoice.Fixed(-1, 1)),
                new ObserverRules.Rule("*.mse", new ObserverChoice.Mse())));
    Map<String, Node> nodes =
        Map.of(
            "a", new Node("a", NodeKind.QKV),
            "b", new Node("b", NodeKind.RESIDUAL),
            "b.mse", new Node("b.mse", NodeKind.QKV),
            "w", new Node("w", NodeKind.RESIDUAL));
    ObserverSet set = new ObserverSet(rules, nodes);
    OutlierChannels outliers = new OutlierChannels(new int[] {1}, 2);
    assertThat(set.observe(values("a", new float[] {1, 100, 2, 100}, 2, outliers)))
        .isEqualTo(new Range(1, 2));
    assertThat(set.observe(values("b", new float[] {7}, 1, OutlierChannels.NONE)))
        .isEqualTo(new Range(-1, 1));
    Range mse = set.observe(values("b.mse", new float[] {7}, 1, OutlierChannels.NONE));
    TreeMap<String, Range> current =
        new TreeMap<>(
            Map.of(
                "a",
                new Range(1, 2),
                "b",
                new Range(-1, 1),
                "b.mse",
                mse,
                "c",
                mse,
                "w",
                new Range(-2, 2)));
    Map<String, Range> batch =
        Map.of(
            "a",
            new Range(0, 3),
            "b",
            new Range(0, 3),
            "b.mse",
            new Range(0, 99),
            "w",
            new Range(-4, 0));
    assertThat(set.move(current, batch))
        .containsEntry("w", new Range(-3, 1))
        .containsEntry("a", new Range(0, 3))
        .containsEntry("b", new Range(-1, 1))
        .containsEntry("b.mse", mse)
        .containsEntry("c", mse);
  }

  @Test
  void namesTheNodeWithAValueThatIsNotFinite() {
    ObserverSet set =
        new ObserverSet(
            new ObserverRules(new ObserverChoice.Mse(), new ObserverChoice.Mse(), List.of()),
            Map.of());
    for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
      assertThatThrownBy(
              () ->
                  set.observe(
                      values("blocks.3.norm1", new float[] {0, bad}, 1, OutlierChannels.NONE)))
          .isInstanceOf(InputException.class)
          .hasMessageStartingWith("blocks.3.norm1: ");
    }
  }
}
