package org.ivit.export.features;

import java.nio.file.Path;
import java.util.Iterator;
import java.util.Map;
import java.util.ServiceLoader;
import org.ivit.core.InputException;

/**
 * Writes features as a table, for which this module has no library. Implementations are found by
 * {@link ServiceLoader}.
 */
public interface FeatureTables {
  /**
   * Writes a Parquet file, whole or not at all: {@code path}, a string, and {@code features}, a
   * list of int32 or float; {@code metadata} in the file's own.
   *
   * @throws java.io.UncheckedIOException naming the file, if it cannot be written
   */
  void write(Path file, FeatureSpool features, Map<String, String> metadata);

  /**
   * What writes tables.
   *
   * @param file that needs it, as the message begins
   * @throws InputException if the module {@code ivit-spark} is not on the class path
   */
  static FeatureTables require(Path file) {
    Iterator<FeatureTables> found = ServiceLoader.load(FeatureTables.class).iterator();
    if (!found.hasNext()) {
      throw new InputException(
          file
              + ": found no module ivit-spark on the class path, which Parquet files need, expected"
              + " the command scripts/ivit-spark in place of scripts/ivit");
    }
    return found.next();
  }
}
