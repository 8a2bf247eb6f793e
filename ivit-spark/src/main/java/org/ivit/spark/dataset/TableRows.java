package org.ivit.spark.dataset;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.parquet.column.page.PageReadStore;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.convert.GroupRecordConverter;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.io.ColumnIOFactory;
import org.apache.parquet.io.RecordReader;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.ivit.core.InputException;

/**
 * What the rows of a file say of their pictures.
 *
 * @param names of the pictures
 * @param numbers of their classes; null where there are identifiers
 * @param ids of their classes; null where there are numbers
 */
record TableRows(List<String> names, List<Long> numbers, List<String> ids) {
  /**
   * Reads them.
   *
   * @param file as messages call it
   * @param prefix what the names of numbered rows begin with
   * @throws InputException naming a row that has no class or no name
   */
  static TableRows read(ParquetFileReader reader, PictureTable table, String file, String prefix)
      throws IOException {
    boolean numbered =
        table.label().asPrimitiveType().getPrimitiveTypeName() != PrimitiveTypeName.BINARY;
    TableRows rows =
        new TableRows(
            new ArrayList<>(),
            numbered ? new ArrayList<>() : null,
            numbered ? null : new ArrayList<>());
    Map<String, String> known = new HashMap<>();
    MessageType schema = table.described();
    reader.setRequestedSchema(schema);
    for (PageReadStore group = reader.readNextRowGroup();
        group != null;
        group = reader.readNextRowGroup()) {
      RecordReader<Group> records = records(schema, group);
      for (long i = group.getRowCount(); i > 0; i--) {
        rows.add(records.read(), table, file, prefix, known);
      }
    }
    return rows;
  }

  /** The records of a row group in some of its columns. */
  static RecordReader<Group> records(MessageType schema, PageReadStore group) {
    return new ColumnIOFactory()
        .getColumnIO(schema)
        .getRecordReader(group, new GroupRecordConverter(schema));
  }

  private void add(
      Group row, PictureTable table, String file, String prefix, Map<String, String> known) {
    require(row, table.label().getName(), file, "a class");
    if (ids != null) {
      ids.add(known.computeIfAbsent(row.getString(0, 0), id -> id));
    } else if (table.label().asPrimitiveType().getPrimitiveTypeName() == PrimitiveTypeName.INT32) {
      numbers.add((long) row.getInteger(0, 0));
    } else {
      numbers.add(row.getLong(0, 0));
    }
    if (table.path() == null) {
      names.add(prefix + "/" + names.size());
    } else {
      require(row, table.path().getName(), file, "a picture's name");
      names.add(row.getString(1, 0));
    }
  }

  private void require(Group row, String column, String file, String expected) {
    if (row.getFieldRepetitionCount(column) == 0) {
      throw new InputException(
          "%s: row %s, counted from 0: column %s: found null, expected %s"
              .formatted(file, names.size(), column, expected));
    }
  }
}
