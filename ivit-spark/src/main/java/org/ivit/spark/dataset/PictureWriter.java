package org.ivit.spark.dataset;

import java.io.IOException;
import java.io.OutputStream;
import java.util.Map;
import java.util.function.IntConsumer;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.SimpleGroup;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.example.ExampleParquetWriter;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.schema.MessageType;
import org.ivit.core.dataset.EncodedDataset;

/**
 * Writes pictures as Parquet in the form that {@link PicturePages} reads: nothing is compressed, as
 * JPEG and PNG are that already, and a page ends after each picture of more than {@value #PAGE}
 * bytes, so that the page index knows where every picture lies.
 */
final class PictureWriter implements AutoCloseable {
  /** Bytes of a page; one holds at least a picture. */
  private static final int PAGE = 4096;

  /** Bytes of a row group: what the writer holds in memory. */
  private static final long ROW_GROUP = 64L << 20;

  private static final MessageType SCHEMA = PictureTable.schema();

  private final EncodedDataset set;
  private final ReadAhead pictures;
  private final IntConsumer progress;
  private int written;

  /**
   * @param set what is written
   * @param progress told how many pictures more are written
   */
  PictureWriter(EncodedDataset set, IntConsumer progress) {
    this.set = set;
    this.pictures = new ReadAhead(set);
    this.progress = progress;
  }

  /** Whether there are pictures left. */
  boolean hasNext() {
    return pictures.hasNext();
  }

  /**
   * Writes a file with the next pictures.
   *
   * @param out closed at the end
   * @param most bytes after which the file ends
   */
  void write(OutputStream out, long most) throws IOException {
    try (ParquetWriter<Group> file = open(out)) {
      for (long bytes = 0; bytes < most && pictures.hasNext(); written++) {
        byte[] picture = pictures.next();
        file.write(row(written, picture));
        bytes += picture.length;
        progress.accept(1);
      }
    }
  }

  private ParquetWriter<Group> open(OutputStream out) throws IOException {
    return ExampleParquetWriter.builder(new StreamFile(out))
        .withType(SCHEMA)
        .withExtraMetaData(Map.of(PictureTable.CLASSES, PictureTable.toJson(set.classList())))
        .withCompressionCodec(CompressionCodecName.UNCOMPRESSED)
        .withDictionaryEncoding(false)
        .withStatisticsEnabled(PictureTable.IMAGE, false)
        .withRowGroupSize(ROW_GROUP)
        .withPageSize(PAGE)
        .withMinRowCountForPageSizeCheck(1)
        .withMaxRowCountForPageSizeCheck(1)
        .build();
  }

  private Group row(int i, byte[] picture) {
    Group row = new SimpleGroup(SCHEMA);
    row.add(PictureTable.IMAGE, Binary.fromConstantByteArray(picture));
    row.add(PictureTable.LABEL, set.label(i));
    row.add(PictureTable.PATH, set.name(i));
    return row;
  }

  @Override
  public void close() {
    pictures.close();
  }
}
