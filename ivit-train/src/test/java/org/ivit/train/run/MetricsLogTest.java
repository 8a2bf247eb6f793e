package org.ivit.train.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MetricsLogTest {
  @TempDir private Path folder;

  private Path written() {
    Path file = folder.resolve("metrics.csv");
    MetricsLog log = MetricsLog.open(file, -1);
    for (int step = 1; step <= 12; step++) {
      log.step(step, step / 4.0, 2.5 / step, 1e-4, 0.5, 33, 0.25);
      if (step % 4 == 0) {
        log.validation(step, step / 4.0, step / 100.0, 2);
      }
    }
    return file;
  }

  @Test
  void writesALineForEachStepAndValidation() throws IOException {
    List<String> lines = Files.readAllLines(written());
    assertThat(lines).hasSize(1 + 12 + 3);
    assertThat(lines.get(0).split(",", -1)).hasSize(9);
    assertThat(lines).allSatisfy(line -> assertThat(line.split(",", -1)).hasSize(9));
    assertThat(lines.get(1)).isEqualTo("1,0.2500,2.50000,0.000100000,0.500000,33.00,,,0.250");
    assertThat(lines.get(5)).isEqualTo("4,1.0000,,,,,0.040000,2.00000,");
  }

  @Test
  void isCutAfterTheStepOfAResumedRun() throws IOException {
    Path file = written();
    List<String> whole = Files.readAllLines(file);
    // what a run that was killed while it wrote leaves behind
    Files.writeString(file, "13,3.2", StandardOpenOption.APPEND);
    MetricsLog log = MetricsLog.open(file, 8);
    assertThat(Files.readAllLines(file)).isEqualTo(whole.subList(0, 11));
    log.step(9, 2.25, 2.5 / 9, 1e-4, 0.5, 33, 0.25);
    assertThat(Files.readAllLines(file)).isEqualTo(whole.subList(0, 12));
  }

  @Test
  void linesOfOlderVersionsGetTheColumnsThatCameLater() throws IOException {
    Path file =
        Files.writeString(
            folder.resolve("old.csv"),
            """
            step,epoch,loss,learning_rate,gradient_norm,pictures_per_second,validation_top1,validation_loss
            1,0.2500,2.5,1e-4,0.5,33.00,,
            1,0.2500,,,,,0.01,2
            """);
    MetricsLog.open(file, 1).step(2, 0.5, 2, 1e-4, 0.5, 33, 1);
    assertThat(Files.readAllLines(file).subList(1, 4))
        .containsExactly(
            "1,0.2500,2.5,1e-4,0.5,33.00,,,",
            "1,0.2500,,,,,0.01,2,",
            "2,0.5000,2.00000,0.000100000,0.500000,33.00,,,1.000");
  }

  @Test
  void aNewRunBeginsANewFile() throws IOException {
    Path file = written();
    MetricsLog.open(file, -1);
    assertThat(Files.readAllLines(file)).hasSize(1);
  }
}
