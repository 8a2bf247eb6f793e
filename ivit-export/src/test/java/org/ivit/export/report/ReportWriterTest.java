package org.ivit.export.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
import org.ivit.core.image.Rgb;
import org.ivit.export.evaluate.Comparison;
import org.ivit.export.evaluate.ConfusionMatrix;
import org.ivit.export.evaluate.Evaluation;
import org.ivit.export.model.Logits;
import org.ivit.train.report.Metrics;
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
    StringBuilder csv = new StringBuilder("epoch,step,loss,validation_loss,validation_top1\n");
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
              "a <note>",
              Map.of(
                  "float",
                  new Report.Answer(names.get(i % classes), 0.93, true),
                  "integer",
                  new Report.Answer(names.get(i % 3 == 0 ? 0 : i % classes), 0.41, i % 3 != 0))));
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
        List.of(
            new Report.ClassRow(
                names.get(1),
                50,
                List.of(new Report.ClassScore(40, 1.25), new Report.ClassScore(45, 0.5)))),
        "Worst disagreements",
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
    assertThat(html.split("<script>", -1)).hasSize(2);
    assertThat(html).doesNotContain("http:").doesNotContain("https:").doesNotContain("src=\"/");
    assertThat(html).doesNotContain("url(").doesNotContain("@import").doesNotContain("<link");
    assertThat(html).contains("A run &amp; its &lt;integers&gt;").contains("kind&lt;3&gt;&amp;");
    Deque<String> open = new ArrayDeque<>();
    String content =
        html.substring(html.indexOf("</style>") + 8).replaceAll("(?s)<script>.*</script>", "");
    Matcher tags = TAG.matcher(content);
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
    String html = ReportWriter.page(report(folder, 10)).html();
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
    String html = ReportWriter.page(report(folder, 30)).html();
    assertThat(html)
        .doesNotContain("class=\"confusion\"")
        .contains("<th class=\"words\" scope=\"col\">answer</th>");
  }

  @Test
  void everyReportIsLightAndDarkAndTellsItsClassesAndPictures() throws Exception {
    String html = ReportWriter.page(report(folder, 10)).html();
    assertThat(html)
        .contains("prefers-color-scheme: dark", "Worst disagreements", "a &lt;note&gt;")
        .contains("40 (80 %)", "data-v=\"1.25\"")
        .contains("training loss, as the recipe has it", "validation loss, cross-entropy")
        .doesNotContain("#fff\"");
  }

  @Test
  void largePicturesAreReducedToAFewKilobytes() {
    byte[] pixels = new byte[3 * 900 * 600];
    new Random(5).nextBytes(pixels);
    String uri = Thumbnail.uri(new Rgb(900, 600, pixels));
    assertThat(uri).startsWith("data:image/jpeg;base64,").hasSizeLessThan(20_000);
    assertThat(Thumbnail.uri(new Rgb(8, 8, new byte[192]))).startsWith("data:image/png;base64,");
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
