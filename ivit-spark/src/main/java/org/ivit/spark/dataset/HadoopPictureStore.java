package org.ivit.spark.dataset;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.util.Comparator;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.function.UnaryOperator;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.ivit.core.InputException;
import org.ivit.core.dataset.ClassList;
import org.ivit.core.dataset.Dataset;
import org.ivit.core.dataset.EncodedDataset;
import org.ivit.core.dataset.ImageFolder;
import org.ivit.core.dataset.Locations;
import org.ivit.core.dataset.PictureStore;
import org.ivit.spark.JavaVersion;

/** Image folders on Hadoop's file systems, and Parquet files there and here. */
public final class HadoopPictureStore implements PictureStore {
  @Override
  public boolean exists(String location) {
    if (!Locations.isRemote(location)) {
      return Files.exists(Locations.local(location));
    }
    try {
      Path path = path(location);
      return HadoopFiles.of(path).exists(path);
    } catch (IOException | RuntimeException e) {
      return false;
    }
  }

  @Override
  public Dataset open(String location, ClassList classes, java.nio.file.Path labels) {
    JavaVersion.require(location);
    Path path = path(location);
    FileSystem files = HadoopFiles.of(path);
    FileStatus status = HadoopFiles.status(files, path);
    List<FileStatus> inside =
        status.isDirectory() ? HadoopFiles.list(files, status.getPath()) : List.of(status);
    List<FileStatus> tables =
        inside.stream()
            .filter(f -> f.isFile() && Locations.isParquetName(f.getPath().getName()))
            .sorted(Comparator.comparing(f -> f.getPath().getName()))
            .toList();
    if (!tables.isEmpty()) {
      refuseLabels(location, labels);
      return ParquetDataset.open(location, files, parts(location, status, tables), classes);
    }
    if (!status.isDirectory()) {
      throw new InputException(
          location + ": found a file, expected a folder of pictures or a file .parquet");
    }
    if (Locations.isParquetName(path.getName())) {
      throw new InputException(location + ": found no Parquet file in this folder");
    }
    HadoopSource source = new HadoopSource(files, path);
    return labels == null
        ? ImageFolder.open(source, classes)
        : ImageFolder.openFlat(source, labels, classes);
  }

  private static void refuseLabels(String location, java.nio.file.Path labels) {
    if (labels != null) {
      throw new InputException(
          "%s: found a label file beside Parquet, expected none: %s has labels"
              .formatted(labels, location));
    }
  }

  private static List<ParquetDataset.Part> parts(
      String location, FileStatus status, List<FileStatus> tables) {
    String folder = location.endsWith("/") ? location : location + "/";
    UnaryOperator<String> name = status.isDirectory() ? file -> folder + file : file -> location;
    return tables.stream()
        .map(f -> new ParquetDataset.Part(f, name.apply(f.getPath().getName())))
        .toList();
  }

  /** Hadoop's path of a location. */
  private static Path path(String location) {
    try {
      return Locations.isRemote(location)
          ? new Path(location)
          : new Path("file", null, Locations.local(location).toAbsolutePath().toString());
    } catch (IllegalArgumentException e) {
      throw new InputException(location + ": is no path of Hadoop's: " + e.getMessage(), e);
    }
  }

  @Override
  public int write(EncodedDataset set, String location, long partBytes, IntConsumer progress) {
    JavaVersion.require(location);
    Target target = target(location);
    if (target.exists()) {
      throw new InputException(location + ": exists, expected a new file or folder to write");
    }
    int[] files = {1};
    try (PictureWriter pictures = new PictureWriter(set, progress)) {
      if (Locations.isParquetName(path(location).getName())) {
        target.file(out -> pictures.write(out, Long.MAX_VALUE));
      } else {
        target.folder(folder -> files[0] = parts(folder, pictures, partBytes));
      }
    }
    return files[0];
  }

  private static Target target(String location) {
    if (!Locations.isRemote(location)) {
      return new LocalTarget(Locations.local(location));
    }
    Path path = path(location);
    return new HadoopTarget(HadoopFiles.of(path), path);
  }

  private static int parts(Target.Folder folder, PictureWriter pictures, long bytes)
      throws IOException {
    int files = 0;
    for (; pictures.hasNext(); files++) {
      try (OutputStream out = folder.create("part-%05d.parquet".formatted(files))) {
        pictures.write(out, bytes);
      }
    }
    return files;
  }
}
