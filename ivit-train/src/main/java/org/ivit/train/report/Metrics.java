package org.ivit.train.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.ivit.core.InputException;
import org.ivit.core.io.FileFailures;

/**
 * The columns of a {@code metrics.csv}: a header line, then numbers; an empty field is NaN.
 *
 * @param columns values by column name, in order of the file
 */
public record Metrics(Map<String, double[]> columns) {
  /**
   * Reads a file.
   *
   * @throws InputException if it is missing or a line does not fit the header
   */
  public static Metrics read(Path file) {
    List<String> lines;
    try {
      lines = Files.readAllLines(file);
    } catch (NoSuchFileException e) {
      throw new InputException(file + ": no such file, expected the metrics of a run", e);
    } catch (IOException e) {
      throw new InputException(file + ": cannot be read: " + FileFailures.reason(e), e);
    }
    if (lines.isEmpty()) {
      throw new InputException(file + ": found nothing, expected a header line");
    }
    String[] names = lines.get(0).split(",", -1);
    List<double[]> rows = new ArrayList<>();
    for (int i = 1; i < lines.size(); i++) {
      if (!lines.get(i).isBlank()) {
        rows.add(row(file, i + 1, lines.get(i), names.length));
      }
    }
    Map<String, double[]> columns = new LinkedHashMap<>();
    for (int c = 0; c < names.length; c++) {
      int column = c;
      columns.put(names[c].strip(), rows.stream().mapToDouble(r -> r[column]).toArray());
    }
    return new Metrics(columns);
  }

  private static double[] row(Path file, int line, String text, int expected) {
    String[] fields = text.split(",", -1);
    if (fields.length != expected) {
      throw new InputException(
          file + ": line " + line + " has " + fields.length + " fields, expected " + expected);
    }
    double[] values = new double[expected];
    for (int c = 0; c < expected; c++) {
      String field = fields[c].strip();
      try {
        values[c] = field.isEmpty() ? Double.NaN : Double.parseDouble(field);
      } catch (NumberFormatException e) {
        values[c] = Double.NaN;
      }
    }
    return values;
  }

  /** A column, or null where there is none. */
  public double[] column(String name) {
    return columns.get(name);
  }
}
