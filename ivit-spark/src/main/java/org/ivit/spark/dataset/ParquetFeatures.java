package org.ivit.spark.dataset;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.Map;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.SimpleGroup;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.example.ExampleParquetWriter;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Types;
import org.ivit.core.io.AtomicFiles;
import org.ivit.export.features.FeatureSpool;
import org.ivit.export.features.FeatureTables;
import org.ivit.export.features.Features;
import org.ivit.spark.JavaVersion;

/** Features as a Parquet file: a row a picture, in order, with the list in its standard form. */
public final class ParquetFeatures implements FeatureTables {
  private static final String PATH = "path";
  private static final String FEATURES = "features";
  private static final String LIST = "list";
  private static final String ELEMENT = "element";

  @Override
  public void write(Path file, FeatureSpool features, Map<String, String> metadata) {
    JavaVersion.require(file.toString());
    AtomicFiles.write(file, out -> write(out, features, metadata));
  }

  private static void write(OutputStream out, FeatureSpool features, Map<String, String> metadata)
      throws IOException {
    MessageType schema = schema(features.integer());
    try (ParquetWriter<Group> file =
        ExampleParquetWriter.builder(new StreamFile(out))
            .withType(schema)
            .withExtraMetaData(metadata)
            .withCompressionCodec(CompressionCodecName.UNCOMPRESSED)
            .withDictionaryEncoding(false)
            .build()) {
      for (int i = 0; i < features.names().size(); i++) {
        file.write(row(schema, features.names().get(i), features.row(i)));
      }
    }
  }

  private static MessageType schema(boolean integer) {
    return Types.buildMessage()
        .required(PrimitiveTypeName.BINARY)
        .as(LogicalTypeAnnotation.stringType())
        .named(PATH)
        .requiredGroup()
        .as(LogicalTypeAnnotation.listType())
        .repeatedGroup()
        .required(integer ? PrimitiveTypeName.INT32 : PrimitiveTypeName.FLOAT)
        .named(ELEMENT)
        .named(LIST)
        .named(FEATURES)
        .named(FEATURES);
  }

  private static Group row(MessageType schema, String name, Features features) {
    Group row = new SimpleGroup(schema);
    row.add(PATH, name);
    Group list = row.addGroup(FEATURES);
    for (int c = 0; c < features.width(); c++) {
      Group item = list.addGroup(LIST);
      if (features.integer()) {
        item.add(ELEMENT, features.codes()[c]);
      } else {
        item.add(ELEMENT, features.values()[c]);
      }
    }
    return row;
  }
}
