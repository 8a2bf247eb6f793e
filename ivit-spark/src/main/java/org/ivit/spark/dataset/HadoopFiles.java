package org.ivit.spark.dataset;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RemoteIterator;
import org.apache.hadoop.fs.UnsupportedFileSystemException;
import org.apache.hadoop.ipc.RemoteException;
import org.apache.hadoop.security.AccessControlException;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkEnv;
import org.apache.spark.deploy.SparkHadoopUtil;
import org.ivit.core.InputException;

/** Hadoop's file systems, and their failures in words for the user. */
final class HadoopFiles {
  private static final String RETRIES_ON_TIMEOUT = "ipc.client.connect.max.retries.on.timeouts";

  private HadoopFiles() {}

  /**
   * Hadoop's configuration: its files on the class path, and what {@code spark.hadoop.*} says, of
   * Spark where it runs or else of the system properties.
   */
  static Configuration configuration() {
    SparkConf spark = SparkEnv.get() == null ? new SparkConf() : SparkEnv.get().conf();
    Configuration conf = SparkHadoopUtil.get().newConfiguration(spark);
    String[] sources = conf.getPropertySources(RETRIES_ON_TIMEOUT);
    if (sources != null && sources[0].startsWith("core-default")) {
      // Hadoop's 45 times 20 s would be a quarter of an hour for a wrong host.
      conf.setInt(RETRIES_ON_TIMEOUT, 2);
    }
    return conf;
  }

  /**
   * The file system of a path.
   *
   * @throws InputException if there is none of that kind, or it cannot be reached
   */
  static FileSystem of(Path path) {
    try {
      return path.getFileSystem(configuration());
    } catch (IOException | RuntimeException | LinkageError e) {
      throw refusal(path.toString(), e);
    }
  }

  /**
   * What lies at a path.
   *
   * @throws InputException if there is nothing, or that cannot be told
   */
  static FileStatus status(FileSystem files, Path path) {
    try {
      return files.getFileStatus(path);
    } catch (IOException | RuntimeException e) {
      throw refusal(path.toString(), e);
    }
  }

  /**
   * What a folder holds.
   *
   * @throws InputException if it cannot be read
   */
  static List<FileStatus> list(FileSystem files, Path folder) {
    try {
      List<FileStatus> all = new ArrayList<>();
      for (RemoteIterator<FileStatus> i = files.listStatusIterator(folder); i.hasNext(); ) {
        all.add(i.next());
      }
      return all;
    } catch (IOException | RuntimeException e) {
      throw refusal(folder.toString(), e);
    }
  }

  /** What a failure at a location is to the user. */
  static InputException refusal(String location, Throwable e) {
    return new InputException(location + ": " + reason(e), e);
  }

  /** Whether a file is missing or must not be read, rather than out of reach for now. */
  static boolean isFinal(IOException e) {
    IOException cause = e instanceof RemoteException remote ? remote.unwrapRemoteException() : e;
    return cause instanceof FileNotFoundException || cause instanceof AccessControlException;
  }

  /** What went wrong, in a line without an address for more details. */
  static String reason(Throwable e) {
    for (Throwable cause : chain(e)) {
      if (cause instanceof UnsupportedFileSystemException
          || cause instanceof ClassNotFoundException
          || cause instanceof NoClassDefFoundError) {
        return "found no file system of this kind on the class path ("
            + line(cause)
            + "), expected its jars there: see docs/scaling.md";
      }
      if (cause instanceof FileNotFoundException) {
        return "no such file or folder";
      }
      if (cause instanceof AccessControlException) {
        return "permission denied";
      }
    }
    return "cannot be reached or read: " + line(e);
  }

  private static List<Throwable> chain(Throwable e) {
    return Stream.iterate(e, t -> t != null, Throwable::getCause)
        .limit(32)
        .map(t -> t instanceof RemoteException remote ? remote.unwrapRemoteException() : t)
        .toList();
  }

  /** The first line of what it says. */
  static String line(Throwable e) {
    String message = e.getMessage() == null ? e.toString() : e.getMessage();
    String first = message.lines().findFirst().orElse(e.toString());
    int details = first.indexOf("; For more details");
    return details < 0 ? first : first.substring(0, details);
  }
}
