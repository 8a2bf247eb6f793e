package org.ivit.spark.dataset;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.ivit.core.dataset.PictureSource;

/** An image folder on a file system of Hadoop's. */
final class HadoopSource implements PictureSource {
  private final FileSystem files;
  private final Path root;

  HadoopSource(FileSystem files, Path root) {
    this.files = files;
    this.root = root;
  }

  @Override
  public String root() {
    return root.toString();
  }

  @Override
  public List<String> folders() {
    return names(root, f -> f.isDirectory() && !PictureSource.isHidden(f.getPath().getName()));
  }

  @Override
  public List<String> files(String folder) {
    List<String> found = new ArrayList<>();
    addFiles(in(folder), "", !folder.isEmpty(), found);
    return found;
  }

  private void addFiles(Path folder, String prefix, boolean deep, List<String> found) {
    for (FileStatus entry : HadoopFiles.list(files, folder)) {
      String name = entry.getPath().getName();
      if (PictureSource.isHidden(name)) {
        continue;
      }
      if (entry.isFile()) {
        found.add(prefix + name);
      } else if (deep && entry.isDirectory()) {
        addFiles(entry.getPath(), prefix + name + "/", true, found);
      }
    }
  }

  private List<String> names(Path folder, Predicate<FileStatus> wanted) {
    return HadoopFiles.list(files, folder).stream()
        .filter(wanted)
        .map(f -> f.getPath().getName())
        .toList();
  }

  private Path in(String path) {
    return path.isEmpty() ? root : new Path(root, path);
  }

  /**
   * {@inheritDoc}
   *
   * @throws UncheckedIOException naming it, if the file system fails
   */
  @Override
  public byte[] read(String path) {
    try (InputStream in = files.open(in(path))) {
      return in.readAllBytes();
    } catch (IOException e) {
      if (HadoopFiles.isFinal(e)) {
        throw HadoopFiles.refusal(describe(path), e);
      }
      throw new UncheckedIOException(describe(path) + ": " + HadoopFiles.reason(e), e);
    }
  }
}
