package org.ivit.spark.dataset;

import java.io.BufferedOutputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import org.ivit.core.io.AtomicFiles;

/** A path on this machine. */
record LocalTarget(Path path) implements Target {
  @Override
  public boolean exists() {
    return Files.exists(path, LinkOption.NOFOLLOW_LINKS);
  }

  @Override
  public void file(AtomicFiles.Body<? super OutputStream> body) {
    AtomicFiles.write(path, body);
  }

  @Override
  public void folder(AtomicFiles.Body<Folder> body) {
    AtomicFiles.writeDirectory(
        path,
        folder ->
            body.write(
                name -> new BufferedOutputStream(Files.newOutputStream(folder.resolve(name)))));
  }
}
