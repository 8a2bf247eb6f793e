package org.ivit.export;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/** The files of the checkout, for tests of what stands in them. */
final class Sources {
  private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
  private static final Set<String> SUFFIXES =
      Set.of("java", "c", "h", "cpp", "cu", "cuh", "sh", "xml", "yaml");

  private Sources() {}

  /** A file of the checkout. */
  static Path file(String name) {
    return ROOT.resolve(name);
  }

  /** The name of a file in the checkout, with slashes. */
  static String name(Path file) {
    return ROOT.relativize(file).toString().replace('\\', '/');
  }

  /** The contents of a file. */
  static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * The sources of all modules, by name.
   *
   * @param below a folder of a module, such as {@code src/main/java}
   */
  static List<Path> of(String below) {
    return files(ROOT, 1).stream()
        .filter(Files::isDirectory)
        .map(module -> module.resolve(below))
        .filter(Files::isDirectory)
        .flatMap(folder -> files(folder, Integer.MAX_VALUE).stream())
        .filter(file -> Files.isRegularFile(file) && isSource(file))
        .toList();
  }

  /** The pages of the documentation. */
  static List<Path> pages() {
    return Stream.concat(files(file("docs"), 1).stream(), files(ROOT, 1).stream())
        .filter(file -> file.toString().endsWith(".md"))
        .toList();
  }

  private static boolean isSource(Path file) {
    String name = file.getFileName().toString();
    return SUFFIXES.contains(name.substring(name.lastIndexOf('.') + 1));
  }

  private static List<Path> files(Path folder, int depth) {
    try (Stream<Path> files = Files.walk(folder, depth)) {
      return files.sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
