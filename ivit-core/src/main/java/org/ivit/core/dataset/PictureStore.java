package org.ivit.core.dataset;

import java.nio.file.Path;
import java.util.function.IntConsumer;

/**
 * Where pictures lie that this module does not read by itself: other file systems, and Parquet
 * files. Implementations are found by {@link java.util.ServiceLoader}.
 */
public interface PictureStore {
  /** Whether there is something at a location; false where that cannot be told. */
  boolean exists(String location);

  /**
   * Opens a set of pictures.
   *
   * @param location a URI of another file system, or the path of a Parquet file or of a folder with
   *     Parquet files
   * @param classes the order of the classes, or null
   * @param labels a label file for a flat folder, or null
   * @throws org.ivit.core.InputException naming what is missing or wrong
   */
  Dataset open(String location, ClassList classes, Path labels);

  /**
   * Writes a set of pictures as Parquet, whole or not at all.
   *
   * @param set what to write, in its order
   * @param location where: one file if it ends in {@code .parquet}, else a folder of files
   * @param partBytes after how many bytes of pictures a folder's next file begins
   * @param progress told how many pictures more are written
   * @return how many files were written
   * @throws org.ivit.core.InputException if there is something already, or it cannot be written to
   */
  int write(EncodedDataset set, String location, long partBytes, IntConsumer progress);
}
