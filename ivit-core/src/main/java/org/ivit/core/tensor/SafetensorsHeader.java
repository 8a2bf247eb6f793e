package org.ivit.core.tensor;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.ivit.core.InputException;
import org.ivit.core.MessageText;

/**
 * The JSON header of a safetensors file: where each tensor lies in the data after it. Parsing
 * checks everything, so that who holds a header can slice the data without looking again: the
 * tensors tile it without gap, overlap or rest, and each one's size is that of its dtype and shape.
 *
 * @param entries the tensors in the order of the header
 * @param metadata the texts of {@code __metadata__}
 */
record SafetensorsHeader(List<Entry> entries, Map<String, String> metadata) {
  static final String METADATA = "__metadata__";

  private static final JsonFactory JSON =
      JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  /** Types of the format that no tensor here has, with the bytes of an element. */
  private static final Map<String, Integer> OTHER_TYPES =
      Map.of("U16", 2, "U32", 4, "U64", 8, "F8_E4M3", 1, "F8_E5M2", 1, "F8_E8M0", 1, "C64", 8);

  /**
   * A tensor: its bytes are {@code [begin, end)} of the data.
   *
   * @param dtype null for a type that no tensor here has
   * @param type its name
   */
  record Entry(String name, DType dtype, String type, long[] shape, long begin, long end) {
    Entry(String name, DType dtype, long[] shape, long begin, long end) {
      this(name, dtype, dtype.name(), shape, begin, end);
    }
  }

  /**
   * Parses and checks a header.
   *
   * @param source what messages call the file
   * @param header the bytes between the length and the data
   * @param dataSize how many bytes follow the header
   * @throws InputException naming file, tensor, what was found and what was expected
   */
  static SafetensorsHeader parse(String source, byte[] header, long dataSize) {
    String text;
    try {
      text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(header)).toString();
    } catch (CharacterCodingException e) {
      throw new InputException(source + ": the header is not UTF-8 text", e);
    }
    if (!text.startsWith("{")) {
      throw new InputException(source + ": the header does not begin with {, as safetensors do");
    }
    SafetensorsHeader parsed;
    try (JsonParser parser = JSON.createParser(text)) {
      parsed = new Reader(source, parser).header();
    } catch (JsonProcessingException e) {
      throw new InputException(
          "%s: the header is not well-formed JSON: %s".formatted(source, MessageText.problem(e)),
          e);
    } catch (IOException e) {
      throw new InputException(source + ": the header cannot be read", e);
    }
    checkTiling(source, parsed.entries, dataSize);
    return parsed;
  }

  private static void checkTiling(String source, List<Entry> entries, long dataSize) {
    List<Entry> ordered = new ArrayList<>(entries);
    ordered.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
    long expected = 0;
    Entry previous = null;
    for (Entry entry : ordered) {
      if (entry.end > dataSize) {
        throw new InputException(
            "%s: tensor %s: ends at byte %d of the data, but the file has %d: truncated or damaged"
                .formatted(source, MessageText.quote(entry.name), entry.end, dataSize));
      }
      if (entry.begin < expected) {
        throw new InputException(
            "%s: tensor %s: begins at byte %d of the data and overlaps %s, which ends at %d"
                .formatted(
                    source,
                    MessageText.quote(entry.name),
                    entry.begin,
                    previous == null ? "the header" : MessageText.quote(previous.name),
                    expected));
      }
      if (entry.begin > expected) {
        throw new InputException(
            "%s: tensor %s: begins at byte %d of the data, expected %d: a gap without a tensor"
                .formatted(source, MessageText.quote(entry.name), entry.begin, expected));
      }
      expected = entry.end;
      previous = entry;
    }
    if (expected != dataSize) {
      throw new InputException(
          "%s: the tensors end at byte %d of the data, but the file has %d: bytes of no tensor"
              .formatted(source, expected, dataSize));
    }
  }

  /** Walks the tokens; every check that needs one tensor alone is here. */
  private record Reader(String source, JsonParser parser) {
    SafetensorsHeader header() throws IOException {
      List<Entry> entries = new ArrayList<>();
      Map<String, String> metadata = new LinkedHashMap<>();
      parser.nextToken();
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String name = parser.currentName();
        if (name.equals(METADATA)) {
          readMetadata(metadata);
        } else {
          entries.add(readEntry(name));
        }
      }
      if (parser.nextToken() != null) {
        throw new InputException(source + ": the header goes on after its closing }");
      }
      return new SafetensorsHeader(List.copyOf(entries), metadata);
    }

    private void readMetadata(Map<String, String> metadata) throws IOException {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        throw new InputException(
            "%s: %s is %s, expected an object of texts".formatted(source, METADATA, found()));
      }
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String key = parser.currentName();
        if (parser.nextToken() != JsonToken.VALUE_STRING) {
          throw new InputException(
              "%s: %s: %s is %s, expected a text"
                  .formatted(source, METADATA, MessageText.quote(key), found()));
        }
        metadata.put(key, parser.getText());
      }
    }

    private Entry readEntry(String name) throws IOException {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        throw refused(name, "is " + found() + ", expected an object");
      }
      String type = null;
      long[] shape = null;
      long[] offsets = null;
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String key = parser.currentName();
        switch (key) {
          case "dtype" -> type = readType(name);
          case "shape" -> shape = readSizes(name, key);
          case "data_offsets" -> offsets = readSizes(name, key);
          default ->
              throw refused(
                  name,
                  "unknown key "
                      + MessageText.quote(key)
                      + ", expected dtype, shape, data_offsets");
        }
      }
      if (type == null || shape == null || offsets == null) {
        String missing = type == null ? "dtype" : shape == null ? "shape" : "data_offsets";
        throw refused(name, missing + " is missing");
      }
      if (offsets.length != 2 || offsets[0] > offsets[1]) {
        throw refused(
            name, "data_offsets is " + sizes(offsets) + ", expected [begin, end] in order");
      }
      DType dtype = dtype(type);
      int size = dtype == null ? OTHER_TYPES.get(type) : dtype.size();
      checkSize(name, type, size, shape, offsets[1] - offsets[0]);
      return new Entry(name, dtype, type, shape, offsets[0], offsets[1]);
    }

    private void checkSize(String name, String type, int size, long[] shape, long found) {
      long bytes = size;
      boolean empty = false;
      try {
        for (long extent : shape) {
          empty |= extent == 0;
          bytes = Math.multiplyExact(bytes, Math.max(extent, 1));
        }
      } catch (ArithmeticException e) {
        throw refused(name, "shape " + sizes(shape) + " has more bytes than 64 bits count");
      }
      long expected = empty ? 0 : bytes;
      if (found != expected) {
        throw refused(
            name,
            "data_offsets give %d bytes, expected %d for %s %s"
                .formatted(found, expected, type, sizes(shape)));
      }
      if (expected > Integer.MAX_VALUE) {
        throw refused(name, "has %d bytes, expected at most 2 GiB a tensor".formatted(expected));
      }
    }

    private String readType(String name) throws IOException {
      if (parser.nextToken() == JsonToken.VALUE_STRING) {
        String text = parser.getText();
        if (dtype(text) != null || OTHER_TYPES.containsKey(text)) {
          return text;
        }
      }
      throw unknown(source, name, found());
    }

    private long[] readSizes(String name, String key) throws IOException {
      if (parser.nextToken() != JsonToken.START_ARRAY) {
        throw refused(name, key + " is " + found() + ", expected an array of integers");
      }
      List<Long> sizes = new ArrayList<>();
      while (parser.nextToken() != JsonToken.END_ARRAY) {
        boolean integer = parser.currentToken() == JsonToken.VALUE_NUMBER_INT;
        if (!integer || parser.getText().startsWith("-")) {
          throw refused(name, key + " has " + found() + ", expected integers from 0");
        }
        if (parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER) {
          throw refused(name, key + " has " + found() + ", more than 63 bits hold");
        }
        sizes.add(parser.getLongValue());
      }
      return sizes.stream().mapToLong(Long::longValue).toArray();
    }

    private String found() throws IOException {
      JsonToken token = parser.currentToken();
      if (token == null) {
        return "the end";
      }
      return switch (token) {
        case START_OBJECT -> "an object";
        case START_ARRAY -> "an array";
        default -> MessageText.quote(parser.getText());
      };
    }

    private InputException refused(String name, String reason) {
      return new InputException(
          "%s: tensor %s: %s".formatted(source, MessageText.quote(name), reason));
    }
  }

  private static DType dtype(String type) {
    for (DType dtype : DType.values()) {
      if (dtype.name().equals(type)) {
        return dtype;
      }
    }
    return null;
  }

  /**
   * Requires that every tensor is of a type that tensors here have.
   *
   * @throws InputException naming the first that is not
   */
  void requireKnownTypes(String source) {
    for (Entry entry : entries) {
      if (entry.dtype == null) {
        throw unknown(source, entry.name, entry.type);
      }
    }
  }

  private static InputException unknown(String source, String name, String found) {
    return new InputException(
        "%s: tensor %s: dtype is %s, expected one of %s"
            .formatted(source, MessageText.quote(name), found, Arrays.toString(DType.values())));
  }

  private static String sizes(long[] sizes) {
    return MessageText.line(Arrays.toString(sizes));
  }

  /**
   * A header for tensors to be written: in the given order, while their data lie by falling element
   * size, so that each is aligned to its own without gaps.
   */
  static SafetensorsHeader of(Map<String, Tensor> tensors, Map<String, String> metadata) {
    Map<String, Long> begins = new LinkedHashMap<>();
    long next = 0;
    for (String name : dataOrder(tensors)) {
      if (name.equals(METADATA)) {
        throw new IllegalArgumentException("a tensor cannot be called " + METADATA);
      }
      begins.put(name, next);
      next += tensors.get(name).buffer().capacity();
    }
    List<Entry> entries = new ArrayList<>();
    tensors.forEach(
        (name, tensor) -> {
          long begin = begins.get(name);
          long end = begin + tensor.buffer().capacity();
          entries.add(new Entry(name, tensor.dtype(), tensor.shape(), begin, end));
        });
    return new SafetensorsHeader(entries, new TreeMap<>(metadata));
  }

  /** Names in the order of the data: falling element size, then the given order. */
  static List<String> dataOrder(Map<String, Tensor> tensors) {
    List<String> names = new ArrayList<>(tensors.keySet());
    names.sort(Comparator.comparingInt(name -> -tensors.get(name).dtype().size()));
    return names;
  }

  /** UTF-8 JSON, padded with spaces so that the data after length and header is aligned to 8. */
  byte[] toBytes() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JsonGenerator json = JSON.createGenerator(bytes)) {
      json.writeStartObject();
      if (!metadata.isEmpty()) {
        json.writeObjectFieldStart(METADATA);
        for (Map.Entry<String, String> entry : metadata.entrySet()) {
          json.writeStringField(entry.getKey(), entry.getValue());
        }
        json.writeEndObject();
      }
      for (Entry entry : entries) {
        json.writeObjectFieldStart(entry.name);
        json.writeStringField("dtype", entry.dtype.name());
        json.writeFieldName("shape");
        json.writeArray(entry.shape, 0, entry.shape.length);
        json.writeFieldName("data_offsets");
        json.writeArray(new long[] {entry.begin, entry.end}, 0, 2);
        json.writeEndObject();
      }
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    while (bytes.size() % 8 != 0) {
      bytes.write(' ');
    }
    return bytes.toByteArray();
  }
}
