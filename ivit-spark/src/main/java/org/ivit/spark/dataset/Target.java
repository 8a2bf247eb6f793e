package org.ivit.spark.dataset;

import java.io.IOException;
import java.io.OutputStream;
import org.ivit.core.io.AtomicFiles;

/** Where a file or a folder of files is written, whole or not at all. */
interface Target {
  /** Whether there is something already. */
  boolean exists();

  /** Writes one file; the body may close the stream. */
  void file(AtomicFiles.Body<? super OutputStream> body);

  /** Writes a folder of files. */
  void folder(AtomicFiles.Body<Folder> body);

  /** A folder that is being written. */
  @FunctionalInterface
  interface Folder {
    /** Begins a file in it. */
    OutputStream create(String name) throws IOException;
  }
}
