package org.ivit.core.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.ivit.core.InputException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LocationsTest {
  @TempDir Path folder;

  @Test
  void tellsPathsFromUris() {
    for (String remote : List.of("hdfs://host:8020/a", "s3a://bucket/a", "hdfs:/a", "x+y.z-1:/a")) {
      assertThat(Locations.isRemote(remote)).as(remote).isTrue();
      assertThat(Locations.absolute(remote)).isEqualTo(remote);
    }
    for (String local :
        List.of("a", "/a", "a:b", "hdfs", "C:/a", "C:\\a", "", "file:/a", "FILE:///a")) {
      assertThat(Locations.isRemote(local)).as(local).isFalse();
    }
    assertThat(Locations.absolute("a")).isEqualTo(Path.of("a").toAbsolutePath().toString());
    assertThat(Locations.resolve(Path.of("/b"), "a")).isEqualTo(Path.of("/b/a").toString());
    assertThat(Locations.resolve(Path.of("/b"), "file:/a")).isEqualTo("file:/a");
  }

  @Test
  void fileUrisAreLocalPaths() {
    assertThat(Locations.local("file:///a b/%20")).isEqualTo(Path.of("/a b/%20"));
    assertThat(Locations.local("file:/a")).isEqualTo(Path.of("/a"));
    assertThat(Locations.local("file:a")).isEqualTo(Path.of("file:a"));
    assertThatThrownBy(() -> Locations.local("file://host/a"))
        .isInstanceOf(InputException.class)
        .hasMessage("file://host/a: found a machine's name, expected file:///PATH");
  }

  @Test
  void fileUrisOpenFolders() throws IOException {
    ImageFolderTest.picture(folder, "cat/1.png", 5);
    try (Dataset set = Datasets.open("file://" + folder, null, null)) {
      assertThat(set.name(0)).isEqualTo("cat/1.png");
      assertThat(set.picture(0).at(0, 0, 0)).isEqualTo(5);
    }
    assertThat(Datasets.exists("file://" + folder)).isTrue();
    assertThat(Datasets.exists("file://" + folder + "/none")).isFalse();
  }

  @Test
  void saysWhatOtherPlacesNeed() throws IOException {
    Path file = Files.createFile(folder.resolve("a.parquet"));
    Files.createFile(folder.resolve("_b.parquet"));
    for (Object there : List.of("hdfs://host/a", "s3a://bucket/a.zip", file, folder)) {
      assertThatThrownBy(() -> Datasets.open(there.toString(), null, null))
          .isInstanceOf(InputException.class)
          .hasMessage(
              there
                  + ": found no module ivit-spark on the class path, which Hadoop paths and Parquet"
                  + " files need, expected the command scripts/ivit-spark in place of scripts/ivit");
    }
    assertThat(Datasets.exists("hdfs://host/a")).isFalse();
    assertThat(Datasets.exists(file.toString())).isTrue();
    Files.delete(file);
    assertThatThrownBy(() -> Datasets.open(file.toString(), null, null))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith(file + ": no such folder of pictures");
    assertThatThrownBy(() -> Datasets.open(folder.toString(), null, null))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("found no class folder");
  }
}
