package org.ivit.train.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.xml.parsers.DocumentBuilderFactory;
import org.ivit.core.InputException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunDrawingTest {
  private static final String HEADER = "step,epoch,loss,validation_top1,validation_loss\n";

  @TempDir Path folder;

  private String drawn(String metrics) throws Exception {
    Path svg = folder.resolve("learning-curve.svg");
    RunDrawing.write(Metrics.read(Files.writeString(folder.resolve("m.csv"), metrics)), svg);
    String text = Files.readString(svg);
    DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
    return text;
  }

  @Test
  void drawsEachQuantityOnAnAxisOfItsOwn() throws Exception {
    String svg =
        drawn(HEADER + "1,0.5,9.5,,\n2,1,7.5,,\n2,1,,0.25,0.75\n4,2,5.5,,\n4,2,,0.5,0.5\n");
    assertThat(svg.split("<polyline", -1)).hasSize(4);
    String validation = svg.substring(svg.indexOf("validation loss"), svg.indexOf("top-1"));
    assertThat(validation).contains(">0.75<", ">last 0.5<").doesNotContain(">9<");
    assertThat(svg).contains("prefers-color-scheme: dark").doesNotContain("NaN");
  }

  @Test
  void survivesARunWithoutSteps() throws Exception {
    assertThat(drawn(HEADER)).contains("none yet").doesNotContain("NaN");
    assertThat(drawn(HEADER + "1,0,NaN,,\n")).contains("none yet").doesNotContain("NaN");
  }

  @Test
  void aLongRunGivesASmallPicture() throws Exception {
    StringBuilder lines = new StringBuilder(HEADER);
    for (int step = 1; step <= 50_000; step++) {
      lines.append(step).append(',').append(step / 100.0).append(",1.5,,\n");
    }
    assertThat(drawn(lines.toString())).hasSizeLessThan(20_000);
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
}
