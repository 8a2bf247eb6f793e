package org.ivit.spark.dataset;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.ParquetReader;
import org.apache.parquet.hadoop.example.GroupReadSupport;
import org.apache.parquet.hadoop.util.HadoopInputFile;
import org.ivit.export.features.FeatureFormat;
import org.ivit.export.features.FeatureSpool;
import org.ivit.export.features.Features;
import org.ivit.spark.Tiny;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Features in Parquet files on this machine. */
class ParquetFeaturesTest {
  @TempDir Path folder;

  @BeforeAll
  static void java() {
    Tiny.assumeJava();
  }

  private static List<Group> rows(Path file) throws IOException {
    try (ParquetReader<Group> reader =
        ParquetReader.builder(new GroupReadSupport(), new org.apache.hadoop.fs.Path(file.toUri()))
            .build()) {
      return Stream.generate(
              () -> {
                try {
                  return reader.read();
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              })
          .takeWhile(row -> row != null)
          .toList();
    }
  }

  private static Map<String, String> metadata(Path file) throws IOException {
    try (ParquetFileReader reader =
        ParquetFileReader.open(
            HadoopInputFile.fromPath(
                new org.apache.hadoop.fs.Path(file.toUri()), new Configuration()))) {
      return reader.getFileMetaData().getKeyValueMetaData();
    }
  }

  @Test
  void codesHaveNamesAndAScale() throws IOException {
    Path file = folder.resolve("e.parquet");
    int[] codes = {Integer.MIN_VALUE, 0, 7, -1, Integer.MAX_VALUE, 3};
    try (FeatureSpool features = new FeatureSpool(file)) {
      features.add(Features.ofCodes(codes, 0.3f, 3), List.of("a/\u00fc.png", "b.png"));
      FeatureFormat.of(file).write(file, features, Map.of("model", "m"));
    }
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files).containsExactly(file);
    }
    List<Group> rows = rows(file);
    assertThat(rows).hasSize(2);
    assertThat(rows.get(0).getString("path", 0)).isEqualTo("a/\u00fc.png");
    for (int row = 0; row < 2; row++) {
      Group list = rows.get(row).getGroup("features", 0);
      assertThat(list.getFieldRepetitionCount("list")).isEqualTo(3);
      for (int c = 0; c < 3; c++) {
        assertThat(list.getGroup("list", c).getInteger("element", 0)).isEqualTo(codes[3 * row + c]);
      }
    }
    assertThat(metadata(file)).containsEntry("model", "m").containsEntry("scale", "0.3");
  }

  @Test
  void valuesAreFloats() throws IOException {
    Path file = folder.resolve("e.parquet");
    try (FeatureSpool features = new FeatureSpool(file)) {
      features.add(Features.ofValues(new float[] {1.5f, -2}, 2), List.of("a"));
      FeatureFormat.of(file).write(file, features, Map.of());
    }
    Group list = rows(file).get(0).getGroup("features", 0);
    assertThat(list.getGroup("list", 1).getFloat("element", 0)).isEqualTo(-2);
    assertThat(metadata(file)).doesNotContainKey("scale");
  }
}
