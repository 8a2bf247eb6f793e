package org.ivit.train.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class LineChartTest {
  private static LineChart chart(double[] x, double[] y) {
    return new LineChart("loss", "epoch", x, y, false);
  }

  @Test
  void ticksAreRound() {
    assertThat(LineChart.step(0.013)).isEqualTo(0.02);
    assertThat(LineChart.step(0)).isEqualTo(1);
  }

  @Test
  void manyPointsAreAveraged() {
    double[] x = IntStream.range(0, 1000).asDoubleStream().toArray();
    double[] y = IntStream.range(0, 1000).mapToDouble(i -> i % 2 == 0 ? 1 : 3).toArray();
    y[500] = Double.NaN;
    LineChart line = chart(x, y).thinned(100);
    assertThat(line.x()).hasSize(100).isSorted();
    assertThat(line.y()).hasSize(100);
    // 999 known points: the first part has 9, five of them 1 and four 3.
    assertThat(line.y()[0]).isCloseTo(17.0 / 9, within(1e-12));
    LineChart all = chart(x, y);
    assertThat(all.thinned(999)).isSameAs(all);
  }

  @Test
  void oneValueHasANarrowAxisAndItsEpochIsWhole() {
    String svg =
        new LineChart("top-1", "epoch", new double[] {1}, new double[] {0.93}, true).draw(1, "");
    assertThat(svg).contains("<circle").contains("92 %").contains("94 %").doesNotContain("100 %");
    assertThat(svg).contains(">last 93.00 %<").contains(">0<", ">1<").doesNotContain("0.6", "1.4");
  }

  @Test
  void nothingIsSaidToBeNothing() {
    LineChart chart = chart(new double[] {1}, new double[] {Double.NaN});
    assertThat(chart.isEmpty()).isTrue();
    assertThat(chart.draw(1, "")).contains("none yet").doesNotContain("NaN");
  }

  @Test
  void numbersAreReadable() {
    assertThat(Numbers.value(0.0123456)).isEqualTo("0.01235");
    assertThat(Numbers.value(123.456)).isEqualTo("123.5");
    assertThat(Numbers.value(-2)).isEqualTo("-2");
    assertThat(Numbers.value(0)).isEqualTo("0");
    assertThat(Numbers.value(2e-7)).isEqualTo("2.00e-07");
    assertThat(Numbers.value(12345)).isEqualTo("12345");
    assertThat(Numbers.bytes(6_123_456)).isEqualTo("6.12 MB");
    assertThat(Numbers.bytes(999)).isEqualTo("999 B");
  }
}
