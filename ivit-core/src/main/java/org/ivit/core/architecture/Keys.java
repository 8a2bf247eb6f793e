package org.ivit.core.architecture;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.ivit.core.InputException;
import org.ivit.core.MessageText;
import org.ivit.core.Suggestion;

/** Takes keys out of an object, so that what stays is unknown. */
record Keys(ObjectNode object, Set<String> known) {
  Keys(ObjectNode object) {
    this(object, new LinkedHashSet<>());
  }

  private JsonNode take(String key, boolean required) {
    known.add(key);
    JsonNode value = object.remove(key);
    if (value == null && required) {
      List<String> found = new ArrayList<>();
      object.fieldNames().forEachRemaining(found::add);
      String slip = Suggestion.nearest(key, found).map(name -> " (found " + name + ")").orElse("");
      throw new InputException("architecture: " + key + " is missing" + slip);
    }
    return value;
  }

  String text(String key, String otherwise) {
    JsonNode value = take(key, otherwise == null);
    if (value == null) {
      return otherwise;
    }
    if (!value.isTextual()) {
      throw wrong(key, value, "a text");
    }
    return value.textValue();
  }

  int integer(String key, Integer otherwise) {
    JsonNode value = take(key, otherwise == null);
    if (value == null) {
      return otherwise;
    }
    if (!value.isIntegralNumber() || !value.canConvertToInt()) {
      throw wrong(key, value, "an integer");
    }
    return value.intValue();
  }

  List<Integer> integers(String key) {
    JsonNode value = take(key, true);
    if (!value.isArray()) {
      throw wrong(key, value, "a list of integers");
    }
    List<Integer> list = new ArrayList<>();
    for (JsonNode element : value) {
      if (!element.isIntegralNumber() || !element.canConvertToInt()) {
        throw wrong(key, value, "a list of integers");
      }
      list.add(element.intValue());
    }
    return list;
  }

  boolean flag(String key) {
    JsonNode value = take(key, false);
    if (value == null) {
      return false;
    }
    if (!value.isBoolean()) {
      throw wrong(key, value, "true or false");
    }
    return value.booleanValue();
  }

  double real(String key, double otherwise) {
    JsonNode value = take(key, false);
    if (value == null) {
      return otherwise;
    }
    if (!value.isNumber()) {
      throw wrong(key, value, "a number");
    }
    return value.doubleValue();
  }

  void expectNoMore() {
    if (!object.isEmpty()) {
      List<String> unknown = new ArrayList<>();
      object
          .fieldNames()
          .forEachRemaining(key -> unknown.add(MessageText.quote(key) + Suggestion.of(key, known)));
      throw new InputException("architecture: unknown key " + MessageText.list(unknown));
    }
  }

  private static InputException wrong(String key, JsonNode value, String expected) {
    return new InputException(
        "architecture: %s is %s, expected %s"
            .formatted(key, MessageText.line(value.toString()), expected));
  }
}
