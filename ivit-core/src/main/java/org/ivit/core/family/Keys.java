package org.ivit.core.family;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.ivit.core.InputException;
import org.ivit.core.MessageText;
import org.ivit.core.Size;
import org.ivit.core.Suggestion;

/** Takes keys out of an object, so that what stays is unknown. */
record Keys(ObjectNode object, Set<String> known) {
  Keys(ObjectNode object) {
    this(object, new LinkedHashSet<>());
  }

  private Optional<JsonNode> take(
      String key, boolean required, Predicate<JsonNode> fits, String expected) {
    known.add(key);
    JsonNode value = object.remove(key);
    if (value == null && required) {
      List<String> found = new ArrayList<>();
      object.fieldNames().forEachRemaining(found::add);
      String slip = Suggestion.nearest(key, found).map(name -> " (found " + name + ")").orElse("");
      throw new InputException("architecture: " + key + " is missing" + slip);
    }
    if (value != null && !fits.test(value)) {
      throw new InputException(
          "architecture: %s is %s, expected %s"
              .formatted(key, MessageText.line(value.toString()), expected));
    }
    return Optional.ofNullable(value);
  }

  private static boolean isInteger(JsonNode value) {
    return value.isIntegralNumber() && value.canConvertToInt();
  }

  private static Stream<JsonNode> elements(JsonNode list) {
    return StreamSupport.stream(list.spliterator(), false);
  }

  String text(String key, String otherwise) {
    return take(key, otherwise == null, JsonNode::isTextual, "a text")
        .map(JsonNode::textValue)
        .orElse(otherwise);
  }

  int integer(String key, Integer otherwise) {
    return take(key, otherwise == null, Keys::isInteger, "an integer")
        .map(JsonNode::intValue)
        .orElse(otherwise);
  }

  List<Integer> integers(String key) {
    Predicate<JsonNode> fits = list -> list.isArray() && elements(list).allMatch(Keys::isInteger);
    JsonNode list = take(key, true, fits, "a list of integers").orElseThrow();
    return elements(list).map(JsonNode::intValue).toList();
  }

  /** A number, or a list of height and width. */
  Size size(String key, Size otherwise) {
    return take(key, otherwise == null, Size::is, "an integer or [height, width]")
        .map(Size::read)
        .orElse(otherwise);
  }

  boolean flag(String key, boolean otherwise) {
    return take(key, false, JsonNode::isBoolean, "true or false")
        .map(JsonNode::booleanValue)
        .orElse(otherwise);
  }

  /** Null where it is absent. */
  Size size(String key) {
    return take(key, false, Size::is, "an integer or [height, width]").map(Size::read).orElse(null);
  }

  /** One of the words of an enumeration. */
  <E extends Enum<E>> E word(String key, E otherwise, Function<E, String> name) {
    E found = word(key, otherwise.getDeclaringClass(), name);
    return found == null ? otherwise : found;
  }

  /** One of the words of an enumeration; null where it is absent. */
  <E extends Enum<E>> E word(String key, Class<E> type, Function<E, String> name) {
    List<E> all = List.of(type.getEnumConstants());
    List<String> words = all.stream().map(name).toList();
    Predicate<JsonNode> fits = value -> value.isTextual() && words.contains(value.textValue());
    return take(key, false, fits, "one of " + String.join(", ", words))
        .map(value -> all.get(words.indexOf(value.textValue())))
        .orElse(null);
  }

  double real(String key, double otherwise) {
    return take(key, false, JsonNode::isNumber, "a number")
        .map(JsonNode::doubleValue)
        .orElse(otherwise);
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
}
