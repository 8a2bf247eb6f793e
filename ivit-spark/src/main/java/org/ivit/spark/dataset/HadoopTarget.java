package org.ivit.spark.dataset;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.concurrent.ThreadLocalRandom;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.ivit.core.io.AtomicFiles;

/**
 * A path on a file system of Hadoop's. It is written under a hidden name beside and renamed, which
 * is one step for HDFS; object stores copy.
 */
record HadoopTarget(FileSystem files, Path path) implements Target {
  @Override
  public boolean exists() {
    try {
      return files.exists(path);
    } catch (IOException | RuntimeException e) {
      throw HadoopFiles.refusal(path.toString(), e);
    }
  }

  @Override
  public void file(AtomicFiles.Body<? super OutputStream> body) {
    commit(
        temporary -> {
          try (OutputStream out = files.create(temporary, false)) {
            body.write(out);
          }
        });
  }

  @Override
  public void folder(AtomicFiles.Body<Folder> body) {
    commit(
        temporary -> {
          files.mkdirs(temporary);
          body.write(name -> files.create(new Path(temporary, name), false));
        });
  }

  private void commit(AtomicFiles.Body<? super Path> body) {
    String random = Long.toHexString(ThreadLocalRandom.current().nextLong());
    Path temporary = new Path(path.getParent(), "." + path.getName() + "." + random + ".tmp");
    try {
      // Also where the program is stopped.
      files.deleteOnExit(temporary);
      files.mkdirs(path.getParent());
      try {
        body.write(temporary);
        if (!files.rename(temporary, path)) {
          throw new IOException("the finished " + temporary + " cannot be renamed");
        }
      } finally {
        files.delete(temporary, true);
      }
      files.cancelDeleteOnExit(temporary);
    } catch (IOException e) {
      if (HadoopFiles.isFinal(e)) {
        throw HadoopFiles.refusal(path.toString(), e);
      }
      throw new UncheckedIOException(path + ": cannot be written: " + HadoopFiles.line(e), e);
    }
  }
}
