package org.ivit.core.dataset;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.ivit.core.InputException;
import org.ivit.core.io.FileFailures;

/** The files of a directory. */
final class DirectorySource implements PictureSource {
  private final Path root;

  DirectorySource(Path root) {
    if (!Files.isDirectory(root)) {
      throw new InputException(root + ": no such folder of pictures");
    }
    this.root = root;
  }

  @Override
  public String root() {
    return root.toString();
  }

  @Override
  public List<String> folders() {
    return list(root, f -> Files.isDirectory(f) && !PictureSource.isHidden(name(f)));
  }

  @Override
  public List<String> files(String folder) {
    return list(
        root.resolve(folder), f -> !PictureSource.isHidden(name(f)) && Files.isRegularFile(f));
  }

  private static List<String> list(Path folder, Predicate<Path> wanted) {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(wanted).map(DirectorySource::name).toList();
    } catch (IOException e) {
      throw new InputException(
          folder + ": the folder cannot be read: " + FileFailures.reason(e), e);
    }
  }

  private static String name(Path file) {
    return String.valueOf(file.getFileName());
  }

  @Override
  public byte[] read(String path) {
    try {
      return Files.readAllBytes(root.resolve(path));
    } catch (IOException e) {
      throw new InputException(describe(path) + ": cannot be read: " + FileFailures.reason(e), e);
    }
  }
}
