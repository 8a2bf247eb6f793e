package org.ivit.serve.protocol;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.ivit.core.InputException;

/** Parameters of a request or of a tensor; those that nobody here knows are passed over. */
final class Parameters {
  static final String BINARY_SIZE = "binary_data_size";
  static final String BINARY = "binary_data";
  static final String BINARY_OUTPUT = "binary_data_output";
  static final String CLASSIFICATION = "classification";
  static final String TRANSFORMED = "transformed";

  private static final Set<String> KNOWN =
      Set.of(BINARY_SIZE, BINARY, BINARY_OUTPUT, CLASSIFICATION, TRANSFORMED);

  private final Map<String, Object> values = new HashMap<>();

  /**
   * Reads an object.
   *
   * @param parser at its beginning; left at its end
   */
  static Parameters read(JsonParser parser) throws IOException {
    Parameters parameters = new Parameters();
    if (parser.currentToken() != JsonToken.START_OBJECT) {
      throw new InputException("parameters: expected an object");
    }
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String key = parser.currentName();
      JsonToken value = parser.nextToken();
      if (KNOWN.contains(key)) {
        parameters.values.put(key, value(key, value, parser));
      } else {
        parser.skipChildren();
      }
    }
    return parameters;
  }

  private static Object value(String key, JsonToken token, JsonParser parser) throws IOException {
    boolean number = key.equals(BINARY_SIZE) || key.equals(CLASSIFICATION);
    if (number
        && token == JsonToken.VALUE_NUMBER_INT
        && parser.getNumberType() == JsonParser.NumberType.INT
        && parser.getIntValue() >= 0) {
      return parser.getIntValue();
    }
    if (!number && token.isBoolean()) {
      return parser.getBooleanValue();
    }
    throw new InputException(
        "parameter %s: expected %s".formatted(key, number ? "a number from 0" : "true or false"));
  }

  /** A truth value; the other where it was not given. */
  boolean flag(String key, boolean otherwise) {
    return (Boolean) values.getOrDefault(key, otherwise);
  }

  /** A number from 0; -1 where it was not given. */
  int number(String key) {
    return (Integer) values.getOrDefault(key, -1);
  }
}
