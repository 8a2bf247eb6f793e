package org.ivit.core.dataset;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.regex.Pattern;
import org.ivit.core.InputException;
import org.ivit.core.io.FileFailures;

/** How the places of pictures are written: paths, and URIs such as {@code hdfs://host/folder}. */
public final class Locations {
  /** A scheme has two letters or more, since {@code C:/} is a drive. */
  private static final Pattern URI = Pattern.compile("([A-Za-z][A-Za-z0-9+.-]+):/.*");

  private static final String FILE = "file:";
  private static final String PARQUET = ".parquet";

  private Locations() {}

  /**
   * Whether a location is a URI of a file system that is not this machine's.
   *
   * @param location as the user gave it
   */
  public static boolean isRemote(String location) {
    return URI.matcher(location).matches() && !isFileUri(location);
  }

  private static boolean isFileUri(String location) {
    return URI.matcher(location).matches()
        && location.regionMatches(true, 0, FILE, 0, FILE.length());
  }

  /**
   * The path of a location on this machine. As for Hadoop, {@code %} stands for itself in a URI.
   *
   * @param location a path or a URI {@code file:///…}
   * @throws InputException if the URI names another machine
   */
  public static Path local(String location) {
    if (!isFileUri(location)) {
      return Path.of(location);
    }
    String path = location.substring(FILE.length());
    if (path.startsWith("//")) {
      path = path.substring(2);
      if (!path.startsWith("/")) {
        throw new InputException(location + ": found a machine's name, expected file:///PATH");
      }
    }
    return Path.of(path);
  }

  /**
   * A location that means the same in every working directory.
   *
   * @param location as the user gave it
   */
  public static String absolute(String location) {
    return resolve(Path.of("").toAbsolutePath(), location);
  }

  /**
   * A location as seen from a directory; a URI stays as it is.
   *
   * @param directory that relative paths start from
   */
  public static String resolve(Path directory, String location) {
    return URI.matcher(location).matches() ? location : directory.resolve(location).toString();
  }

  /** Whether a location on this machine is a Parquet file or a folder that holds some. */
  public static boolean isParquet(Path path) {
    if (isParquetName(String.valueOf(path.getFileName()))) {
      return Files.exists(path);
    }
    if (!Files.isDirectory(path)) {
      return false;
    }
    try (DirectoryStream<Path> files =
        Files.newDirectoryStream(path, f -> isParquetName(String.valueOf(f.getFileName())))) {
      return files.iterator().hasNext();
    } catch (IOException e) {
      throw new InputException(path + ": the folder cannot be read: " + FileFailures.reason(e), e);
    }
  }

  /** Whether a file or folder of that name holds Parquet; hidden ones do not count. */
  public static boolean isParquetName(String name) {
    return name.toLowerCase(Locale.ROOT).endsWith(PARQUET)
        && !name.startsWith(".")
        && !name.startsWith("_");
  }
}
