package org.ivit.spark.dataset;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.parquet.column.page.PageReadStore;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.metadata.BlockMetaData;
import org.apache.parquet.hadoop.metadata.ColumnChunkMetaData;
import org.apache.parquet.hadoop.metadata.FileMetaData;
import org.apache.parquet.hadoop.util.HadoopInputFile;
import org.apache.parquet.io.RecordReader;
import org.apache.parquet.schema.MessageType;
import org.ivit.core.InputException;
import org.ivit.core.dataset.ClassList;

/**
 * The pictures of one Parquet file by row. Where pages hold plain pictures and an index says where
 * they are, a picture is one read of its page; elsewhere its whole row group is read and kept for a
 * while. Safe for several threads.
 */
final class PictureFile implements Closeable {
  private final String name;
  private final FileSystem files;
  private final FileStatus status;
  private final RowGroupCache cache;
  private final PictureTable table;
  private final ClassList classes;
  private final TableRows rows;
  private final List<ColumnChunkMetaData> chunks;
  private final int[] firstRows;
  private final AtomicReferenceArray<PicturePages> pages;
  private final RandomAccess bytes;
  private ParquetFileReader groups;

  private PictureFile(FileSystem files, FileStatus status, String name, RowGroupCache cache)
      throws IOException {
    this.name = name;
    this.files = files;
    this.status = status;
    this.cache = cache;
    try (ParquetFileReader reader = open()) {
      FileMetaData meta = reader.getFileMetaData();
      table = PictureTable.of(name, meta.getSchema());
      classes = PictureTable.classes(name, meta.getKeyValueMetaData().get(PictureTable.CLASSES));
      chunks = reader.getRowGroups().stream().map(PictureFile::image).toList();
      firstRows = firstRows(reader);
      rows = TableRows.read(reader, table, name, status.getPath().getName());
    }
    pages = new AtomicReferenceArray<>(chunks.size());
    bytes = RandomAccess.open(files, status);
  }

  /**
   * Opens a file and reads all but the pictures.
   *
   * @param name as messages call it
   * @throws InputException if it is no Parquet file with these columns
   */
  static PictureFile open(FileSystem files, FileStatus status, String name, RowGroupCache cache) {
    try {
      return new PictureFile(files, status, name, cache);
    } catch (InputException e) {
      throw e;
    } catch (IOException | RuntimeException e) {
      if (e instanceof IOException io && HadoopFiles.isFinal(io)) {
        throw HadoopFiles.refusal(name, e);
      }
      throw new InputException(
          name + ": cannot be read as a Parquet file: " + HadoopFiles.line(e), e);
    }
  }

  private ParquetFileReader open() throws IOException {
    return ParquetFileReader.open(HadoopInputFile.fromStatus(status, files.getConf()));
  }

  private static ColumnChunkMetaData image(BlockMetaData group) {
    return group.getColumns().stream()
        .filter(c -> c.getPath().toDotString().equals(PictureTable.IMAGE))
        .findFirst()
        .orElseThrow();
  }

  private int[] firstRows(ParquetFileReader reader) {
    if (reader.getRecordCount() > Integer.MAX_VALUE) {
      throw new InputException(name + ": found " + reader.getRecordCount() + " rows, too many");
    }
    int[] first = new int[chunks.size()];
    for (int g = 1; g < first.length; g++) {
      first[g] = first[g - 1] + (int) reader.getRowGroups().get(g - 1).getRowCount();
    }
    return first;
  }

  String name() {
    return name;
  }

  /** What its metadata say of classes, or null. */
  ClassList classes() {
    return classes;
  }

  TableRows rows() {
    return rows;
  }

  /**
   * The bytes of the picture of a row.
   *
   * @throws InputException if there is none or its page is damaged
   * @throws UncheckedIOException if the file system fails
   */
  byte[] picture(int row) {
    int group = group(row);
    byte[] picture;
    try {
      picture =
          PicturePages.isPlain(chunks.get(group), table.image())
              ? fromPage(group, row)
              : cache.get(this, group, this::readGroup)[row - firstRows[group]];
    } catch (IOException e) {
      if (e instanceof EOFException || HadoopFiles.isFinal(e)) {
        throw damaged(row, e);
      }
      throw new UncheckedIOException(describe(row) + ": " + HadoopFiles.reason(e), e);
    }
    if (picture == null) {
      throw new InputException(describe(row) + ": found no picture (null)");
    }
    return picture;
  }

  private int group(int row) {
    return Starts.indexOf(firstRows, row);
  }

  private byte[] fromPage(int group, int row) throws IOException {
    PicturePages index = pages.get(group);
    if (index == null) {
      index = PicturePages.read(bytes, chunks.get(group));
      pages.set(group, index);
    }
    int inGroup = row - firstRows[group];
    byte[] page = index.page(bytes, inGroup);
    try {
      return index.picture(page, inGroup);
    } catch (IOException e) {
      throw damaged(row, e);
    }
  }

  /** Called for one row group at a time. */
  private byte[][] readGroup(int group) throws IOException {
    MessageType schema = new MessageType("pictures", table.image());
    boolean done = false;
    try {
      if (groups == null) {
        groups = open();
        groups.setRequestedSchema(schema);
      }
      PageReadStore store = groups.readRowGroup(group);
      RecordReader<Group> records = TableRows.records(schema, store);
      byte[][] pictures = new byte[(int) store.getRowCount()][];
      for (int i = 0; i < pictures.length; i++) {
        Group record = records.read();
        if (record.getFieldRepetitionCount(0) > 0) {
          pictures[i] = record.getBinary(0, 0).getBytes();
        }
      }
      done = true;
      return pictures;
    } catch (RuntimeException e) {
      throw damaged(firstRows[group], e);
    } finally {
      if (!done && groups != null) {
        // An interrupted thread, as of a loader that is closed, leaves a reader that is of no use.
        groups.close();
        groups = null;
      }
    }
  }

  private InputException damaged(int row, Exception e) {
    return new InputException(
        describe(row) + ": the Parquet file is damaged: " + HadoopFiles.line(e), e);
  }

  /** A picture as messages call it. */
  String describe(int row) {
    return name + ": " + rows.names().get(row);
  }

  @Override
  public void close() throws IOException {
    bytes.close();
    if (groups != null) {
      groups.close();
    }
  }
}
