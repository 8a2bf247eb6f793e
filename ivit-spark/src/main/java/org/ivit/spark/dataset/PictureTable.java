package org.ivit.spark.dataset;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Type;
import org.apache.parquet.schema.Types;
import org.ivit.core.InputException;
import org.ivit.core.dataset.ClassList;

/**
 * The columns of pictures in Parquet.
 *
 * @param image the bytes of a JPEG or PNG file
 * @param label a class, by number or identifier
 * @param path the name of the picture, or null: rows are numbered
 */
record PictureTable(Type image, Type label, Type path) {
  static final String IMAGE = "image";
  static final String LABEL = "label";
  static final String WNID = "wnid";
  static final String PATH = "path";

  /** Key of a file's metadata: the classes as JSON. */
  static final String CLASSES = "org.ivit.classes";

  private static final String IDS = "ids";
  private static final String NAMES = "names";
  private static final ObjectMapper JSON = new ObjectMapper();

  /** What is written. */
  static MessageType schema() {
    return Types.buildMessage()
        .required(PrimitiveTypeName.BINARY)
        .named(IMAGE)
        .required(PrimitiveTypeName.INT32)
        .named(LABEL)
        .required(PrimitiveTypeName.BINARY)
        .as(LogicalTypeAnnotation.stringType())
        .named(PATH)
        .named("pictures");
  }

  /**
   * Finds the columns of a file; others are passed over.
   *
   * @param file as messages call it
   * @throws InputException if one is missing or of another type
   */
  static PictureTable of(String file, MessageType schema) {
    Type image = column(file, schema, IMAGE, "binary", PrimitiveTypeName.BINARY);
    Type label =
        column(
            file,
            schema,
            LABEL,
            "int32, int64 or string",
            PrimitiveTypeName.INT32,
            PrimitiveTypeName.INT64,
            PrimitiveTypeName.BINARY);
    if (label == null) {
      label = column(file, schema, WNID, "string", PrimitiveTypeName.BINARY);
    }
    if (image == null || label == null) {
      throw new InputException(
          file
              + ": found no column "
              + (image == null ? IMAGE : LABEL + " or " + WNID)
              + " among "
              + schema.getFields().stream().map(Type::getName).toList()
              + ", expected image (binary), label (integer or string) or wnid (string), and path"
              + " (string) or none");
    }
    return new PictureTable(
        image, label, column(file, schema, PATH, "string", PrimitiveTypeName.BINARY));
  }

  private static Type column(
      String file, MessageType schema, String name, String expected, PrimitiveTypeName... types) {
    if (!schema.containsField(name)) {
      return null;
    }
    Type type = schema.getType(name);
    if (!type.isPrimitive()
        || type.isRepetition(Type.Repetition.REPEATED)
        || !Set.of(types).contains(type.asPrimitiveType().getPrimitiveTypeName())) {
      throw new InputException(
          "%s: column %s: found '%s', expected %s"
              .formatted(file, name, type.toString().replaceAll("\\s+", " "), expected));
    }
    return type;
  }

  /** The columns but the picture. */
  MessageType described() {
    return path == null
        ? new MessageType("pictures", label)
        : new MessageType("pictures", label, path);
  }

  /** Classes as a file's metadata hold them. */
  static String toJson(ClassList classes) {
    ObjectNode json = JSON.createObjectNode();
    classes.ids().forEach(json.putArray(IDS)::add);
    classes.names().forEach(json.putArray(NAMES)::add);
    return json.toString();
  }

  /**
   * Reads them.
   *
   * @param file as messages call it
   * @param json null where the file has none
   * @return null where the file has none
   */
  static ClassList classes(String file, String json) {
    if (json == null) {
      return null;
    }
    try {
      JsonNode tree = JSON.readTree(json);
      return ClassList.of(file, strings(tree.path(IDS)), strings(tree.path(NAMES)));
    } catch (JsonProcessingException e) {
      throw new InputException(file + ": metadata " + CLASSES + ": found no JSON", e);
    }
  }

  private static List<String> strings(JsonNode array) {
    List<String> strings = new ArrayList<>();
    array.forEach(value -> strings.add(value.asText()));
    return strings;
  }
}
