package org.ivit.spark.dataset;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
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
    return names(in(folder), f -> f.isFile() && !PictureSource.isHidden(f.getPath().getName()));
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
