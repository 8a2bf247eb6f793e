package org.ivit.core.dataset;

import java.io.IOException;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.EnumSet;
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
    return folder.isEmpty()
        ? list(root, f -> !PictureSource.isHidden(name(f)) && Files.isRegularFile(f))
        : below(root.resolve(folder));
  }

  private static List<String> list(Path folder, Predicate<Path> wanted) {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(wanted).map(DirectorySource::name).toList();
    } catch (IOException e) {
      throw unreadable(folder, e);
    }
  }

  /** Files in a folder and below it; links are followed, as everywhere. */
  private static List<String> below(Path folder) {
    List<String> found = new ArrayList<>();
    try {
      Files.walkFileTree(
          folder,
          EnumSet.of(FileVisitOption.FOLLOW_LINKS),
          Integer.MAX_VALUE,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path path, BasicFileAttributes attributes) {
              return !path.equals(folder) && PictureSource.isHidden(name(path))
                  ? FileVisitResult.SKIP_SUBTREE
                  : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path path, BasicFileAttributes attributes) {
              if (attributes.isRegularFile() && !PictureSource.isHidden(name(path))) {
                found.add(folder.relativize(path).toString().replace('\\', '/'));
              }
              return FileVisitResult.CONTINUE;
            }
          });
    } catch (IOException e) {
      throw unreadable(folder, e);
    }
    return found;
  }

  private static InputException unreadable(Path folder, IOException e) {
    return new InputException(folder + ": the folder cannot be read: " + FileFailures.reason(e), e);
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
