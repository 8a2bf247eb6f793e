package org.ivit.spark.dataset;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.ivit.core.InputException;
import org.ivit.core.dataset.ClassList;
import org.ivit.core.dataset.EncodedDataset;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The pictures of Parquet files, in the order of the files' names and of their rows. */
final class ParquetDataset extends EncodedDataset {
  private static final Logger LOG = LoggerFactory.getLogger(ParquetDataset.class);
  private static final long CACHE_BYTES = 256L << 20;

  private final List<PictureFile> files;
  private final int[] firstPictures;
  private final int[] labels;

  private ParquetDataset(List<PictureFile> files, TableLabels labels) {
    super(labels.classes());
    this.files = files;
    this.labels = labels.labels();
    firstPictures = new int[files.size()];
    for (int f = 1; f < firstPictures.length; f++) {
      firstPictures[f] = firstPictures[f - 1] + files.get(f - 1).rows().names().size();
    }
  }

  /** A file and what messages call it. */
  record Part(FileStatus status, String name) {}

  /**
   * Opens files.
   *
   * @param location as messages call all of them
   * @param parts in order
   * @param wanted the order of the classes, or null
   * @throws InputException if a file is damaged, lacks a column, or has a class that is none
   */
  static ParquetDataset open(
      String location, FileSystem system, List<Part> parts, ClassList wanted) {
    List<PictureFile> files = new ArrayList<>();
    RowGroupCache cache = new RowGroupCache(CACHE_BYTES);
    try {
      for (Part part : parts) {
        files.add(PictureFile.open(system, part.status, part.name, cache));
      }
      ParquetDataset set = new ParquetDataset(files, TableLabels.of(location, files, wanted));
      if (set.size() == 0) {
        throw new InputException(location + ": found no rows, expected pictures");
      }
      return set;
    } catch (RuntimeException e) {
      close(files);
      throw e;
    }
  }

  @Override
  public int size() {
    return labels.length;
  }

  @Override
  public int label(int i) {
    return labels[i];
  }

  @Override
  public String name(int i) {
    int file = file(i);
    return files.get(file).rows().names().get(i - firstPictures[file]);
  }

  @Override
  public byte[] encoded(int i) {
    int file = file(i);
    return files.get(file).picture(i - firstPictures[file]);
  }

  @Override
  protected String describe(int i) {
    int file = file(i);
    return files.get(file).describe(i - firstPictures[file]);
  }

  private int file(int i) {
    return Starts.indexOf(firstPictures, i);
  }

  @Override
  public void close() {
    close(files);
  }

  private static void close(List<PictureFile> files) {
    for (PictureFile file : files) {
      try {
        file.close();
      } catch (IOException e) {
        LOG.debug("{}: {}", file.name(), e.toString());
      }
    }
  }
}
