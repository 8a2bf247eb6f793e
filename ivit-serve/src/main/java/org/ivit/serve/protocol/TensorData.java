package org.ivit.serve.protocol;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.ivit.core.InputException;

/**
 * The elements of a tensor, in the order of its last index: {@link Bytes}, a {@code float[]} or a
 * list of {@code byte[]} by its type.
 */
final class TensorData {
  private final String name;
  private final DataType type;
  private final int count;

  /**
   * Elements of one byte.
   *
   * @param array they begin at {@code from} of it
   */
  record Bytes(byte[] array, int from) {}

  /** A place for the elements of a nested or flat array of JSON. */
  private interface Sink {
    void accept(JsonParser parser, int index) throws IOException;
  }

  /**
   * @param name of the tensor
   * @param count number of elements; a request with as many bytes has been received
   */
  TensorData(String name, DataType type, int count) {
    this.name = name;
    this.type = type;
    this.count = count;
  }

  /**
   * Reads JSON: numbers, or strings in base64, in an array or in arrays of arrays.
   *
   * @param parser at the beginning of the array; left at its end
   * @throws InputException if there are not as many elements, or one is of another type
   */
  Object json(JsonParser parser) throws IOException {
    return switch (type) {
      case UINT8 -> {
        byte[] bytes = new byte[count];
        elements(parser, (p, i) -> bytes[i] = (byte) unsigned(p));
        yield new Bytes(bytes, 0);
      }
      case FP32 -> {
        float[] values = new float[count];
        elements(parser, (p, i) -> values[i] = real(p));
        yield values;
      }
      default -> {
        List<byte[]> strings = new ArrayList<>();
        elements(parser, (p, i) -> strings.add(base64(p)));
        yield strings;
      }
    };
  }

  private void elements(JsonParser parser, Sink sink) throws IOException {
    int found = 0;
    for (int depth = 1; depth > 0; ) {
      JsonToken token = parser.nextToken();
      if (token == JsonToken.START_ARRAY) {
        depth++;
      } else if (token == JsonToken.END_ARRAY) {
        depth--;
      } else {
        if (found < count) {
          sink.accept(parser, found);
        }
        found++;
      }
    }
    requireCount(found);
  }

  private void requireCount(int found) {
    if (found != count) {
      throw new InputException(
          "%s: data: found %d elements, expected %d of its shape".formatted(name, found, count));
    }
  }

  private int unsigned(JsonParser parser) throws IOException {
    if (parser.currentToken() == JsonToken.VALUE_NUMBER_INT
        && parser.getNumberType() == JsonParser.NumberType.INT) {
      int value = parser.getIntValue();
      if (value >= 0 && value <= 255) {
        return value;
      }
    }
    throw wrong(parser, "integers from 0 to 255");
  }

  private float real(JsonParser parser) throws IOException {
    if (parser.currentToken() == null || !parser.currentToken().isNumeric()) {
      throw wrong(parser, "numbers");
    }
    return parser.getFloatValue();
  }

  private byte[] base64(JsonParser parser) throws IOException {
    if (parser.currentToken() != JsonToken.VALUE_STRING) {
      throw wrong(parser, "strings in base64");
    }
    try {
      return parser.getBinaryValue();
    } catch (IOException e) {
      throw new InputException(name + ": data: a string is no base64", e);
    }
  }

  private InputException wrong(JsonParser parser, String expected) throws IOException {
    return new InputException(
        "%s: data: found %s, expected %s".formatted(name, described(parser), expected));
  }

  private static String described(JsonParser parser) throws IOException {
    JsonToken token = parser.currentToken();
    if (token == JsonToken.VALUE_STRING) {
      return "a string";
    }
    return token != null && token.isScalarValue() ? shortened(parser.getText()) : "no value";
  }

  private static String shortened(String text) {
    return text.length() > 20 ? text.substring(0, 20) + "..." : text;
  }

  /**
   * Reads the binary form: little endian, strings with four bytes of their length before each.
   * Elements of one byte stay where they are.
   *
   * @throws InputException if there are not as many elements
   */
  Object binary(byte[] body, int from, int length) {
    ByteBuffer in = ByteBuffer.wrap(body, from, length).order(ByteOrder.LITTLE_ENDIAN);
    return switch (type) {
      case UINT8 -> {
        requireCount(length);
        yield new Bytes(body, from);
      }
      case FP32 -> {
        if (length != (long) Float.BYTES * count) {
          throw new InputException(
              "%s: found %d bytes, expected %d of its shape"
                  .formatted(name, length, (long) Float.BYTES * count));
        }
        float[] values = new float[count];
        in.asFloatBuffer().get(values);
        yield values;
      }
      default -> strings(in);
    };
  }

  private List<byte[]> strings(ByteBuffer in) {
    List<byte[]> strings = new ArrayList<>();
    while (in.hasRemaining() && strings.size() < count) {
      int length = in.remaining() < Integer.BYTES ? -1 : in.getInt();
      if (length < 0 || length > in.remaining()) {
        throw new InputException(
            "%s: element %d has not the length that the bytes before it say"
                .formatted(name, strings.size()));
      }
      byte[] string = new byte[length];
      in.get(string);
      strings.add(string);
    }
    requireCount(strings.size());
    if (in.hasRemaining()) {
      throw new InputException(
          "%s: found %d bytes behind its %d elements".formatted(name, in.remaining(), count));
    }
    return strings;
  }
}
