package org.ivit.train.run;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.ivit.core.io.AtomicFiles;
import org.ivit.core.io.FileFailures;

/**
 * {@code metrics.csv}: a line a step, and a line with the columns of validation a validation. Of
 * runs of older versions, columns that came later are empty.
 */
public final class MetricsLog {
  private static final String HEADER =
      "step,epoch,loss,learning_rate,gradient_norm,pictures_per_second,validation_top1,"
          + "validation_loss,loader_wait";

  private final Path file;

  private MetricsLog(Path file) {
    this.file = file;
  }

  /** Begins a file, or cuts an old one after the lines of {@code step}. */
  public static MetricsLog open(Path file, int step) {
    List<String> lines = new ArrayList<>(List.of(HEADER));
    try {
      if (Files.exists(file)) {
        Files.readAllLines(file).stream()
            .skip(1)
            .filter(line -> line.matches("\\d+,.*"))
            .filter(line -> Integer.parseInt(line.substring(0, line.indexOf(','))) <= step)
            .map(MetricsLog::padded)
            .forEach(lines::add);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(file + ": cannot be read: " + FileFailures.reason(e), e);
    }
    String text = String.join("\n", lines) + "\n";
    AtomicFiles.write(file, out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
    return new MetricsLog(file);
  }

  private static String padded(String line) {
    long missing = commas(HEADER) - commas(line);
    return line + ",".repeat((int) Math.max(0, missing));
  }

  private static long commas(String line) {
    return line.chars().filter(c -> c == ',').count();
  }

  /**
   * Appends a step.
   *
   * @param waited share of the time in which steps waited for the loader
   */
  public void step(
      int step, double epoch, double loss, double rate, double norm, double speed, double waited) {
    append(
        String.format(
            Locale.ROOT,
            "%d,%.4f,%.6g,%.6g,%.6g,%.2f,,,%.3f",
            step,
            epoch,
            loss,
            rate,
            norm,
            speed,
            waited));
  }

  /**
   * Appends a validation.
   *
   * @param top1 share of right answers; NaN where there are no classes
   */
  public void validation(int step, double epoch, double top1, double loss) {
    String right = Double.isNaN(top1) ? "" : String.format(Locale.ROOT, "%.6f", top1);
    append(String.format(Locale.ROOT, "%d,%.4f,,,,,%s,%.6g,", step, epoch, right, loss));
  }

  private void append(String line) {
    try {
      Files.writeString(file, line + "\n", StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new UncheckedIOException(file + ": cannot be written: " + FileFailures.reason(e), e);
    }
  }
}
