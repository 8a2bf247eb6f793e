package org.ivit.train.nd4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Nothing else reaches the memory of ND4J's arrays. */
class NdMemoryUseTest {
  /**
   * Types that a class file names where it calls a method that returns, takes or is of one: every
   * way to an array's memory goes through a buffer or is ND4J's compiled code.
   */
  private static final Pattern MEMORY =
      Pattern.compile("org/nd4j/linalg/api/buffer/(?!DataType)|AffinityManager|OpaqueDataBuffer");

  private static List<String> files(Path folder, String suffix, Pattern pattern)
      throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files
          .filter(file -> file.toString().endsWith(suffix))
          .filter(file -> pattern.matcher(text(file)).find())
          .map(file -> file.getFileName().toString())
          .sorted()
          .toList();
    }
  }

  private static String text(Path file) {
    try {
      return Files.readString(file, StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void ofThisModule() throws Exception {
    Path classes =
        Path.of(NdMemory.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    assumeThat(classes).isDirectory();
    assertThat(files(classes, ".class", MEMORY))
        .containsExactly("Nd4jHostCopies.class", "NdMemory.class");
  }

  @Test
  void ofOthersWhichKnowNoNd4j() throws IOException {
    Path root = Path.of(System.getProperty("ivit.root"));
    Pattern nd4j = Pattern.compile("org\\.nd4j\\.");
    for (String module : List.of("ivit-core", "ivit-export", "ivit-spark")) {
      assertThat(files(root.resolve(module).resolve("src/main"), ".java", nd4j)).isEmpty();
    }
  }
}
