package org.ivit.spark.dataset;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Set;
import java.util.zip.CRC32;
import org.apache.parquet.column.Encoding;
import org.apache.parquet.column.EncodingStats;
import org.apache.parquet.format.OffsetIndex;
import org.apache.parquet.format.PageHeader;
import org.apache.parquet.format.PageLocation;
import org.apache.parquet.format.PageType;
import org.apache.parquet.format.Util;
import org.apache.parquet.hadoop.metadata.ColumnChunkMetaData;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.internal.hadoop.metadata.IndexReference;
import org.apache.parquet.schema.Type;

/**
 * Where the pages of a row group's pictures lie. {@link PictureWriter} gives every picture but the
 * smallest a page of its own, so that one read brings one picture.
 */
final class PicturePages {
  private final long[] offsets;
  private final int[] sizes;
  private final int[] firstRows;

  private PicturePages(List<PageLocation> pages) {
    offsets = pages.stream().mapToLong(PageLocation::getOffset).toArray();
    sizes = pages.stream().mapToInt(PageLocation::getCompressed_page_size).toArray();
    firstRows = pages.stream().mapToInt(page -> (int) page.getFirst_row_index()).toArray();
  }

  /** Whether pages hold nothing but lengths and pictures, and can be found. */
  static boolean isPlain(ColumnChunkMetaData chunk, Type image) {
    return image.isRepetition(Type.Repetition.REQUIRED)
        && chunk.getCodec() == CompressionCodecName.UNCOMPRESSED
        && !chunk.isEncrypted()
        && chunk.getOffsetIndexReference() != null
        && isPlain(chunk.getEncodingStats());
  }

  private static boolean isPlain(EncodingStats stats) {
    return stats != null
        && !stats.hasDictionaryPages()
        && !stats.usesV2Pages()
        && stats.getDataEncodings().equals(Set.of(Encoding.PLAIN));
  }

  /** Reads where they are. */
  static PicturePages read(RandomAccess file, ColumnChunkMetaData chunk) throws IOException {
    IndexReference at = chunk.getOffsetIndexReference();
    byte[] bytes = file.read(at.getOffset(), at.getLength());
    OffsetIndex index = Util.readOffsetIndex(new ByteArrayInputStream(bytes));
    return new PicturePages(index.getPage_locations());
  }

  /**
   * The bytes of the page of a row.
   *
   * @param row in the row group
   */
  byte[] page(RandomAccess file, int row) throws IOException {
    int page = pageOf(row);
    return file.read(offsets[page], sizes[page]);
  }

  private int pageOf(int row) {
    return Starts.indexOf(firstRows, row);
  }

  /**
   * The picture of a row.
   *
   * @param page what {@link #page} gave
   * @param row in the row group
   * @throws IOException if the page is damaged
   */
  byte[] picture(byte[] page, int row) throws IOException {
    ByteArrayInputStream in = new ByteArrayInputStream(page);
    PageHeader header = Util.readPageHeader(in);
    int start = page.length - in.available();
    if (header.getType() != PageType.DATA_PAGE
        || header.getCompressed_page_size() != in.available()) {
      throw new IOException("found another page, expected one of pictures");
    }
    if (header.isSetCrc() && header.getCrc() != crc(page, start)) {
      throw new IOException("the page's check sum does not match");
    }
    ByteBuffer values = ByteBuffer.wrap(page, start, page.length - start);
    values.order(ByteOrder.LITTLE_ENDIAN);
    for (int before = row - firstRows[pageOf(row)]; before > 0; before--) {
      int length = length(values);
      values.position(values.position() + length);
    }
    byte[] picture = new byte[length(values)];
    values.get(picture);
    return picture;
  }

  private static int crc(byte[] page, int start) {
    CRC32 sum = new CRC32();
    sum.update(page, start, page.length - start);
    return (int) sum.getValue();
  }

  private static int length(ByteBuffer values) throws IOException {
    int length = values.remaining() < Integer.BYTES ? -1 : values.getInt();
    if (length < 0 || length > values.remaining()) {
      throw new IOException("found a picture of " + length + " bytes, expected it in its page");
    }
    return length;
  }
}
