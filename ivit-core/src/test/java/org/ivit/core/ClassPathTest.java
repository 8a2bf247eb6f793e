package org.ivit.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import org.ivit.core.testing.ClassPath;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The core stands on integers alone: no DL4J, ND4J, JavaCPP or BLAS on its class path. */
class ClassPathTest {
  /** In artifact file names. */
  private static final List<String> FORBIDDEN_ARTIFACTS =
      List.of(
          "nd4j",
          "deeplearning4j",
          "dl4j",
          "datavec",
          "javacpp",
          "openblas",
          "mkl",
          "netlib",
          "jblas",
          "jcublas");

  /** In the entries of jars and folders: packages and native libraries. */
  private static final List<String> FORBIDDEN_ENTRIES =
      List.of(
          "org/nd4j/",
          "org/deeplearning4j/",
          "org/datavec/",
          "org/bytedeco/",
          "com/github/fommil/",
          "dev/ludovic/netlib/",
          "org/netlib/",
          "org/jblas/",
          "libopenblas",
          "libmkl",
          "libblas",
          "libnd4j",
          "libjnijavacpp");

  @TempDir Path folder;

  @Test
  void holdsNeitherDeeplearning4jNorBlas() {
    List<Path> classPath = ClassPath.entries();
    assertThat(classPath.stream().map(path -> path.getFileName().toString()))
        .as("the whole class path was found")
        .anyMatch(name -> name.startsWith("jackson-databind-"))
        .anyMatch(name -> name.startsWith("junit-jupiter-api-"))
        .contains("classes", "test-classes");
    assertThat(forbidden(classPath)).isEmpty();
  }

  @Test
  void neitherDoesItsClassLoader() {
    for (String name :
        List.of(
            "org.nd4j.linalg.factory.Nd4j",
            "org.deeplearning4j.nn.graph.ComputationGraph",
            "org.bytedeco.javacpp.Pointer",
            "org.bytedeco.javacpp.Loader",
            "com.github.fommil.netlib.BLAS",
            "dev.ludovic.netlib.BLAS")) {
      String resource = name.replace('.', '/') + ".class";
      assertThat(ClassPathTest.class.getClassLoader().getResource(resource)).as(name).isNull();
    }
    assertThat(
            ClassPathTest.class.getClassLoader().getResource("org/ivit/core/ClassPathTest.class"))
        .isNotNull();
  }

  @Test
  void wouldNoticeThem() throws IOException {
    Path named = jar("nd4j-api-1.0.jar", null, "x/Y.class");
    Path shaded = jar("innocent-1.0.jar", null, "lib/org/nd4j/linalg/factory/Nd4j.class");
    Path natives = jar("natives-1.0.jar", null, "org/example/linux-x86_64/libopenblas.so.0");
    Path clean = jar("clean-1.0.jar", null, "org/example/Clean.class");
    Path unpacked = folder.resolve("unpacked/org/bytedeco/javacpp");
    Files.createDirectories(unpacked);
    Files.write(unpacked.resolve("Pointer.class"), new byte[0]);
    assertThat(forbidden(List.of(clean))).isEmpty();
    assertThat(forbidden(List.of(named))).hasSize(1);
    assertThat(forbidden(List.of(shaded))).hasSize(1);
    assertThat(forbidden(List.of(natives))).hasSize(1);
    assertThat(forbidden(List.of(folder.resolve("unpacked")))).hasSize(1);
    Path booter = jar("booter.jar", clean.toUri() + " " + shaded.toUri(), "a/B.class");
    assertThat(ClassPath.expand(booter)).containsExactly(booter, clean, shaded);
  }

  private Path jar(String name, String classPath, String entry) throws IOException {
    Path jar = folder.resolve(name);
    Manifest manifest = new Manifest();
    manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
    if (classPath != null) {
      manifest.getMainAttributes().put(Attributes.Name.CLASS_PATH, classPath);
    }
    try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar), manifest)) {
      out.putNextEntry(new ZipEntry(entry));
      out.closeEntry();
    }
    return jar;
  }

  private static List<String> forbidden(List<Path> classPath) {
    List<String> found = new ArrayList<>();
    for (Path path : classPath) {
      String artifact = path.getFileName().toString().toLowerCase(Locale.ROOT);
      String by =
          Stream.concat(
                  FORBIDDEN_ARTIFACTS.stream().filter(artifact::contains),
                  entries(path).stream()
                      .filter(entry -> FORBIDDEN_ENTRIES.stream().anyMatch(entry::contains)))
              .findFirst()
              .orElse(null);
      if (by != null) {
        found.add(path + ": " + by);
      }
    }
    return found;
  }

  private static List<String> entries(Path path) {
    try {
      if (Files.isRegularFile(path)) {
        try (JarFile jar = new JarFile(path.toFile())) {
          return jar.stream().map(ZipEntry::getName).toList();
        }
      }
      try (Stream<Path> files = Files.walk(path)) {
        return files
            .filter(Files::isRegularFile)
            .map(file -> path.relativize(file).toString().replace(File.separatorChar, '/'))
            .toList();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
