package org.ivit.core.architecture;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.exc.ValueInstantiationException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.ivit.core.InputException;
import org.ivit.core.MessageText;

/** Architectures and parts as JSON: their components under their names. */
public final class ArchitectureJson {
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
          .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
          .build();

  private ArchitectureJson() {}

  /** What {@link #read(JsonNode, Class)} reads back. */
  public static ObjectNode write(Architecture architecture) {
    return JSON.valueToTree(architecture);
  }

  /** A part, or a record that holds one, as text. */
  public static String text(Object value) {
    return JSON.valueToTree(value).toString();
  }

  /**
   * What {@link #text} wrote.
   *
   * @throws InputException saying what is wrong
   */
  public static <T> T read(String text, Class<T> type) {
    try {
      return read(JSON.readTree(text), type);
    } catch (JsonProcessingException e) {
      throw new InputException("part: not well-formed JSON: " + MessageText.problem(e), e);
    }
  }

  /**
   * What {@link #write} wrote.
   *
   * @throws InputException saying what is wrong, and where
   */
  public static <T> T read(JsonNode json, Class<T> type) {
    try {
      return JSON.treeToValue(json, type);
    } catch (ValueInstantiationException e) {
      if (e.getCause() instanceof InputException refusal) {
        throw refusal;
      }
      throw wrong(e);
    } catch (JsonProcessingException e) {
      throw wrong(e);
    }
  }

  /** Names the place, such as {@code parts[0].dim}. */
  private static InputException wrong(JsonProcessingException e) {
    StringBuilder place = new StringBuilder();
    if (e instanceof JsonMappingException mapping) {
      for (JsonMappingException.Reference step : mapping.getPath()) {
        place.append(
            step.getFieldName() == null ? "[" + step.getIndex() + "]" : "." + step.getFieldName());
      }
    }
    return new InputException(
        "architecture: %s: %s"
            .formatted(
                MessageText.line(place.substring(Math.min(1, place.length()))),
                MessageText.problem(e)),
        e);
  }
}
