package org.ivit.export.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.ivit.core.InputException;
import org.ivit.core.image.Rgb;
import org.ivit.export.evaluate.Comparison;
import org.ivit.export.evaluate.ConfusionMatrix;
import org.ivit.export.evaluate.Evaluation;
import org.ivit.export.evaluate.Logits;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.xml.sax.InputSource;

class ReportWriterTest {
  private static final Pattern TAG = Pattern.compile("<(/?)([a-zA-Z][a-zA-Z0-9]*)([^<>]*)>");

  @TempDir Path folder;

  private static Logits logits(Random random, int[] labels, int classes, double strength) {
    float[] values = new float[labels.length * classes];
    for (int i = 0; i < labels.length; i++) {
      for (int c = 0; c < classes; c++) {
        values[i * classes + c] = (float) (random.nextGaussian() + (c == labels[i] ? strength : 0));
      }
    }
    return Logits.ofValues(values, classes);
  }

  /** A report with everything in it. */
  static Report report(Path folder, int classes) throws IOException {
    Random random = new Random(7);
    int[] labels = IntStream.range(0, 50 * classes).map(i -> i % classes).toArray();
    Logits real = logits(random, labels, classes, 3.5);
    Logits integer = logits(random, labels, classes, 3.4);
    List<String> names = IntStream.range(0, classes).mapToObj(c -> "kind<" + c + ">&").toList();
    StringBuilder csv =
        new StringBuilder("epoch,step,train_loss,validation_loss,validation_top1\n");
    for (int e = 1; e <= 20; e++) {
      csv.append(e + "," + 10 * e + "," + (0.2 + 2 * Math.exp(-e / 4.0)) + ",")
          .append(
              e % 2 == 0
                  ? ","
                  : (0.25 + 1.8 * Math.exp(-e / 4.0)) + "," + (0.95 - 0.8 * Math.exp(-e / 3.0)))
          .append('\n');
    }
    Path metrics = folder.resolve("metrics.csv");
    Files.writeString(metrics, csv);
    List<Report.NodeRange> ranges = new ArrayList<>();
    for (int b = 0; b < 12; b++) {
      for (String node : List.of("norm1", "attn.qkv", "residual1", "mlp.act")) {
        int bits = node.startsWith("res") ? 16 : 8;
        double top = Math.exp(3 * random.nextGaussian());
        ranges.add(
            new Report.NodeRange(
                "blocks." + b + "." + node,
                bits,
                -top * random.nextDouble(),
                top,
                top / 127,
                b == 7 ? 1 : 0,
                5));
      }
    }
    List<Report.Sample> samples = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      byte[] pixels = new byte[3 * 32 * 32];
      random.nextBytes(pixels);
      samples.add(
          new Report.Sample(
              new Rgb(32, 32, pixels),
              names.get(i % classes),
              new Report.Answer(names.get(i % classes), 0.93),
              new Report.Answer(names.get(i % 3 == 0 ? 0 : i % classes), 0.41)));
    }
    Map<String, ConfusionMatrix> confusions = new LinkedHashMap<>();
    confusions.put("float", ConfusionMatrix.of(real, labels));
    confusions.put("integer", ConfusionMatrix.of(integer, labels));
    Map<String, Long> sizes = new LinkedHashMap<>();
    sizes.put("float weights", 22_883_456L);
    sizes.put("integer checkpoint", 6_100_000L);
    sizes.put("biases", 812L);
    Map<String, String> provenance = new LinkedHashMap<>();
    provenance.put("recipe", "configs/quickstart_qat.yaml");
    provenance.put("sha256", "0123456789abcdef".repeat(4));
    return new Report(
        "A run & its <integers>",
        "What was trained, and how the integer model compares with the float one.",
        List.of(
            new Report.Curves("float training", Metrics.read(metrics)),
            new Report.Curves("quantization-aware training", Metrics.read(metrics))),
        List.of(
            new Report.Accuracy("float", Evaluation.of(real, labels), 22_883_456),
            new Report.Accuracy("integer", Evaluation.of(integer, labels), 6_100_000)),
        Comparison.of(integer, real, labels),
        List.of(
            new Report.Check("engine logits = training network logits", true, "0 differences"),
            new Report.Check("float top-1 at least 90 %", false, "71 %")),
        names,
        confusions,
        samples,
        ranges,
        sizes,
        provenance);
  }

  @Test
  void tagsNestAndNothingIsLoaded() throws Exception {
    Path file = folder.resolve("report.html");
    ReportWriter.write(file, report(folder, 10));
    String html = Files.readString(file, StandardCharsets.UTF_8);
    assertThat(html).startsWith("<!DOCTYPE html>").endsWith("</html>\n");
    assertThat(html).doesNotContain("<script").doesNotContain("http:").doesNotContain("https:");
    assertThat(html).doesNotContain("url(").doesNotContain("@import").doesNotContain("<link");
    assertThat(html).contains("A run &amp; its &lt;integers&gt;").contains("kind&lt;3&gt;&amp;");
    Deque<String> open = new ArrayDeque<>();
    Matcher tags = TAG.matcher(html.substring(html.indexOf("</style>") + 8));
    open.push("html");
    open.push("head");
    while (tags.find()) {
      String name = tags.group(2);
      if (tags.group(3).endsWith("/") || List.of("img", "meta").contains(name)) {
        continue;
      }
      if (tags.group(1).isEmpty()) {
        open.push(name);
      } else {
        assertThat(open.pop()).isEqualTo(name);
      }
    }
    assertThat(open).isEmpty();
  }

  @Test
  void drawingsAreXml() throws Exception {
    String html = ReportWriter.page(report(folder, 10));
    Matcher svgs = Pattern.compile("<svg.*?</svg>", Pattern.DOTALL).matcher(html);
    int count = 0;
    while (svgs.find()) {
      DocumentBuilderFactory.newInstance()
          .newDocumentBuilder()
          .parse(new InputSource(new StringReader(svgs.group())));
      assertThat(svgs.group())
          .doesNotContain("NaN")
          .doesNotContain("Infinity")
          .doesNotContain("null");
      count++;
    }
    assertThat(count).isGreaterThan(50);
  }

  @Test
  void manyClassesShowTheWorstConfusions() throws Exception {
    String html = ReportWriter.page(report(folder, 30));
    assertThat(html)
        .doesNotContain("class=\"confusion\"")
        .contains("<th scope=\"col\">answer</th>");
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
    assertThat(LineChart.step(0.013)).isEqualTo(0.02);
    assertThat(LineChart.step(0)).isEqualTo(1);
  }

  @Test
  void manyPointsAreAveraged() {
    double[] x = IntStream.range(0, 1000).asDoubleStream().toArray();
    double[] y = IntStream.range(0, 1000).mapToDouble(i -> i % 2 == 0 ? 1 : 3).toArray();
    y[500] = Double.NaN;
    LineChart.Line line = new LineChart.Line("loss", x, y).thinned(100);
    assertThat(line.x()).hasSize(100).isSorted();
    assertThat(line.y()).hasSize(100);
    // 999 known points: the first part has 9, five of them 1 and four 3.
    assertThat(line.y()[0]).isCloseTo(17.0 / 9, within(1e-12));
    assertThat(new LineChart.Line("loss", x, y).thinned(999).x()).isSameAs(x);
  }

  @Test
  void oneValueHasANarrowAxis() {
    String svg =
        LineChart.draw(
            "t",
            "epoch",
            List.of(new LineChart.Line("top1", new double[] {1}, new double[] {0.93})),
            true);
    assertThat(svg).contains("<circle").contains("92 %").contains("94 %").doesNotContain("100 %");
  }

  @Test
  void metricsThatDoNotFitAreRefused() throws IOException {
    Path file = folder.resolve("m.csv");
    assertThatThrownBy(() -> Metrics.read(file))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("no such file");
    Files.writeString(file, "a,b\n1,2\n3\n");
    assertThatThrownBy(() -> Metrics.read(file))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("line 3 has 1 fields, expected 2");
  }

  @Test
  void aReportThatCannotBeWrittenLeavesNothing() throws IOException {
    Path inTheWay = Files.createFile(folder.resolve("file"));
    assertThatThrownBy(() -> ReportWriter.write(inTheWay.resolve("report.html"), report(folder, 3)))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining("cannot be written");
    assertThat(inTheWay).isEmptyFile();
  }
}
