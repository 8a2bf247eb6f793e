package org.ivit.core.scheme;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.SortedMap;
import java.util.TreeMap;
import org.ivit.core.InputException;
import org.ivit.core.MessageText;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.SoftmaxForm;

/**
 * A {@link Scheme} as JSON: {@code {"gelu":"exact","softmax":"exact","attentionBits":16,
 * "outliers":{"norm":{"channels":[3],"shift":2}}}}.
 */
public final class SchemeJson {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private SchemeJson() {}

  /**
   * @param scheme forms, widths, outlier channels
   * @return its JSON
   */
  public static ObjectNode write(Scheme scheme) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("gelu", scheme.gelu().key());
    json.put("softmax", scheme.softmax().key());
    json.put("attentionBits", scheme.attentionBits());
    if (scheme.normEpsilon()) {
      json.put("normEpsilon", true);
    }
    ObjectNode outliers = json.putObject("outliers");
    scheme
        .outliers()
        .forEach(
            (node, set) -> {
              ObjectNode entry = outliers.putObject(node);
              ArrayNode channels = entry.putArray("channels");
              for (int c : set.channels()) {
                channels.add(c);
              }
              entry.put("shift", set.shift());
            });
    return json;
  }

  /**
   * @param json as {@link #write} gives it
   * @return the scheme; throws {@link InputException} naming what is missing or of a wrong type
   */
  public static Scheme read(JsonNode json) {
    SortedMap<String, OutlierChannels> outliers = new TreeMap<>();
    JsonNode sets = required(json, "outliers", JsonNode::isObject, "an object");
    sets.fields()
        .forEachRemaining(entry -> outliers.put(entry.getKey(), channels(entry.getValue())));
    return new Scheme(
        GeluForm.parse(required(json, "gelu", JsonNode::isTextual, "a name").textValue()),
        SoftmaxForm.parse(required(json, "softmax", JsonNode::isTextual, "a name").textValue()),
        required(json, "attentionBits", JsonNode::isInt, "8 or 16").intValue(),
        outliers,
        json.path("normEpsilon").booleanValue());
  }

  private static OutlierChannels channels(JsonNode set) {
    JsonNode list = required(set, "channels", JsonNode::isArray, "a list");
    int[] channels = new int[list.size()];
    for (int i = 0; i < channels.length; i++) {
      channels[i] = list.get(i).asInt(-1);
    }
    return new OutlierChannels(
        channels, required(set, "shift", JsonNode::isInt, "an integer").intValue());
  }

  private static JsonNode required(
      JsonNode json, String key, java.util.function.Predicate<JsonNode> test, String expected) {
    JsonNode value = json.get(key);
    if (value == null || !test.test(value)) {
      throw new InputException(
          "quantization scheme, key " + key + ": found " + value + ", expected " + expected);
    }
    return value;
  }

  /**
   * @param text JSON text
   * @return the scheme; throws {@link InputException} where the text is no such JSON
   */
  public static Scheme parse(String text) {
    try {
      return read(MAPPER.readTree(text));
    } catch (JsonProcessingException e) {
      throw new InputException("quantization scheme: " + MessageText.problem(e), e);
    }
  }
}
