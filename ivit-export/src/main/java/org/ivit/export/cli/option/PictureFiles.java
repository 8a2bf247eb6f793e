package org.ivit.export.cli.option;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import org.ivit.core.InputException;
import org.ivit.core.dataset.Dataset;
import org.ivit.core.dataset.PictureSource;
import org.ivit.core.image.ImageDecoder;
import org.ivit.core.image.Rgb;
import org.ivit.core.io.FileFailures;

/** Picture files without labels, in the order in which a command line names them. */
public final class PictureFiles implements Dataset {
  private final List<Path> files;

  private PictureFiles(List<Path> files) {
    this.files = List.copyOf(files);
  }

  /**
   * Files as they are named, whatever their ending, and the pictures anywhere in folders, in order
   * of their paths. What is hidden in a folder is passed over.
   *
   * @throws InputException if there is nothing at a path, or no picture in a folder
   */
  public static PictureFiles of(List<Path> named) {
    List<Path> files = new ArrayList<>();
    for (Path path : named) {
      Checks.exists("picture", path);
      if (Files.isDirectory(path)) {
        files.addAll(within(path));
      } else {
        Checks.file("picture", path);
        files.add(path);
      }
    }
    return new PictureFiles(files);
  }

  private static List<Path> within(Path folder) {
    List<Path> found = new ArrayList<>();
    try {
      Files.walkFileTree(
          folder,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path path, BasicFileAttributes attributes) {
              return !path.equals(folder) && PictureSource.isHidden(path.getFileName().toString())
                  ? FileVisitResult.SKIP_SUBTREE
                  : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path path, BasicFileAttributes attributes) {
              if (PictureSource.isPicture(path.getFileName().toString())
                  && Files.isRegularFile(path)) {
                found.add(path);
              }
              return FileVisitResult.CONTINUE;
            }
          });
    } catch (IOException e) {
      throw new InputException(folder + ": cannot be read: " + FileFailures.reason(e), e);
    }
    if (found.isEmpty()) {
      throw new InputException("picture: " + folder + ": found no picture in this folder");
    }
    found.sort(null);
    return found;
  }

  @Override
  public int size() {
    return files.size();
  }

  @Override
  public List<String> classNames() {
    return List.of();
  }

  @Override
  public String name(int i) {
    return files.get(i).toString();
  }

  /** Nothing is known of it. */
  @Override
  public int label(int i) {
    return -1;
  }

  @Override
  public Rgb picture(int i) {
    return ImageDecoder.decode(files.get(i));
  }
}
