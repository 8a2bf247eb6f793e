package org.ivit.train.recipe;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.ivit.core.InputException;
import org.ivit.core.Size;
import org.ivit.core.Suggestion;
import org.ivit.core.dataset.Locations;

/**
 * One map of a YAML recipe. It remembers which keys were asked for, so that {@link #end} can refuse
 * the others. Every failure is an {@link InputException} of one line: file, key path, what was
 * found and what was expected. A key whose value is null counts as absent.
 */
final class Section {
  /** At most so many digits that a long holds the bytes. */
  private static final Pattern BYTES =
      Pattern.compile("(\\d{1,12}(?:\\.\\d{1,12})?)\\s*(kB|MB)?", Pattern.CASE_INSENSITIVE);

  private final String file;
  private final Path directory;
  private final String path;
  private final ObjectNode node;
  private final Set<String> known = new LinkedHashSet<>();

  /**
   * @param file as messages call it
   * @param directory that relative paths start from
   * @param path of the keys that lead here
   */
  Section(String file, Path directory, String path, ObjectNode node) {
    this.file = file;
    this.directory = directory;
    this.path = path;
    this.node = node;
  }

  private String keyPath(String key) {
    return path.isEmpty() ? key : path + "." + key;
  }

  /** The failure of a key whose value is not what it should be. */
  InputException bad(String key, String expected) {
    JsonNode found = node.get(key);
    if (found == null || found.isNull()) {
      return new InputException(
          file + ": " + keyPath(key) + ": missing key" + slip(key) + ", expected " + expected);
    }
    return new InputException(
        file + ": " + keyPath(key) + ": found " + describe(found) + ", expected " + expected);
  }

  /** A key that nobody asked for and that is nearly this one. */
  private String slip(String key) {
    List<String> others = names();
    others.removeAll(known);
    return Suggestion.nearest(key, others).map(found -> " (found " + found + ")").orElse("");
  }

  private static String describe(JsonNode value) {
    if (value.isObject()) {
      return "a map";
    }
    if (value.isArray()) {
      return "the list " + value;
    }
    return value.isTextual() ? "\"" + value.asText() + "\"" : value.toString();
  }

  boolean has(String key) {
    return get(key) != null;
  }

  /** The value of a key as it stands, or null where it is absent. */
  JsonNode get(String key) {
    known.add(key);
    JsonNode value = node.get(key);
    return value == null || value.isNull() ? null : value;
  }

  boolean isText(String key, String text) {
    JsonNode value = get(key);
    return value != null && value.isTextual() && value.asText().equals(text);
  }

  boolean isMap(String key) {
    JsonNode value = get(key);
    return value != null && value.isObject();
  }

  /** The map under a key; an empty one where it is absent. */
  Section section(String key) {
    JsonNode value = get(key);
    if (value == null) {
      return new Section(file, directory, keyPath(key), JsonNodeFactory.instance.objectNode());
    }
    if (value instanceof ObjectNode map) {
      return new Section(file, directory, keyPath(key), map);
    }
    throw bad(key, "a map");
  }

  /** The maps of a list; an empty list where it is absent. */
  List<Section> sections(String key) {
    JsonNode value = get(key);
    List<Section> result = new ArrayList<>();
    if (value == null) {
      return result;
    }
    if (!value.isArray()) {
      throw bad(key, "a list of maps");
    }
    for (int i = 0; i < value.size(); i++) {
      if (!(value.get(i) instanceof ObjectNode map)) {
        throw bad(key, "a list of maps");
      }
      result.add(new Section(file, directory, keyPath(key) + "." + i, map));
    }
    return result;
  }

  /** The keys of a map whose keys are names that the user chooses. */
  List<String> names() {
    List<String> names = new ArrayList<>();
    node.fieldNames().forEachRemaining(names::add);
    return names;
  }

  String text(String key, String fallback, String expected) {
    JsonNode value = get(key);
    if (value == null) {
      if (fallback == null) {
        throw bad(key, expected);
      }
      return fallback;
    }
    if (!value.isTextual() || value.asText().isBlank()) {
      throw bad(key, expected);
    }
    return value.asText();
  }

  /** A path, or null where the key is absent or says {@code none}. */
  Path path(String key) {
    if (!has(key) || isText(key, "none")) {
      return null;
    }
    return resolved(key, text(key, null, "a path"));
  }

  private Path resolved(String key, String path) {
    try {
      return directory.resolve(path);
    } catch (InvalidPathException e) {
      throw bad(key, "a path (" + e.getReason() + ")");
    }
  }

  /** A path or a URI, or null where the key is absent or says {@code none}. */
  String location(String key) {
    if (!has(key) || isText(key, "none")) {
      return null;
    }
    return Locations.resolve(directory, text(key, null, "a path"));
  }

  /** A path, or a given one where the key is absent. */
  Path path(String key, String fallback) {
    return resolved(key, text(key, fallback, "a path"));
  }

  private double decimal(String key, JsonNode value, String expected) {
    if (value.isNumber()) {
      return value.doubleValue();
    }
    if (value.isTextual()) {
      try {
        // YAML 1.1 reads 1e-6 as text
        return Double.parseDouble(value.asText());
      } catch (NumberFormatException e) {
        throw bad(key, expected);
      }
    }
    throw bad(key, expected);
  }

  /** A number in [min, max]; {@code fallback} NaN makes the key required. */
  double number(String key, double fallback, double min, double max) {
    String expected = "a number from " + plain(min) + " to " + plain(max);
    JsonNode value = get(key);
    if (value == null) {
      if (Double.isNaN(fallback)) {
        throw bad(key, expected);
      }
      return fallback;
    }
    double number = decimal(key, value, expected);
    if (!(number >= min && number <= max)) {
      throw bad(key, expected);
    }
    return number;
  }

  private static String plain(double v) {
    return v == Math.rint(v) && Math.abs(v) < 1e15 ? Long.toString((long) v) : Double.toString(v);
  }

  /** An integer in [min, max]; {@code fallback} below min makes the key required. */
  long integer(String key, long fallback, long min, long max) {
    String expected =
        max == Integer.MAX_VALUE || max == Long.MAX_VALUE
            ? "an integer of at least " + min
            : "an integer from " + min + " to " + max;
    JsonNode value = get(key);
    if (value == null) {
      if (fallback < min) {
        throw bad(key, expected);
      }
      return fallback;
    }
    if (!value.isIntegralNumber() || !value.canConvertToLong()) {
      throw bad(key, expected);
    }
    long number = value.longValue();
    if (number < min || number > max) {
      throw bad(key, expected);
    }
    return number;
  }

  int integer(String key, int fallback, int min, int max) {
    return (int) integer(key, (long) fallback, (long) min, (long) max);
  }

  boolean isInteger(String key, long number) {
    JsonNode value = get(key);
    return value != null
        && value.isIntegralNumber()
        && value.canConvertToLong()
        && value.longValue() == number;
  }

  /** A number of bytes, such as {@code 3500000}, {@code 850kB} or {@code 3.5MB}; null if absent. */
  Long bytes(String key) {
    JsonNode value = get(key);
    if (value == null) {
      return null;
    }
    Matcher said = BYTES.matcher(value.isContainerNode() ? "" : value.asText());
    BigDecimal bytes =
        said.matches()
            ? new BigDecimal(said.group(1))
                .scaleByPowerOfTen(
                    said.group(2) == null ? 0 : said.group(2).equalsIgnoreCase("kB") ? 3 : 6)
                .setScale(0, RoundingMode.DOWN)
            : BigDecimal.ZERO;
    if (bytes.signum() <= 0) {
      throw bad(key, "bytes, such as 3500000, 850kB or 3.5MB");
    }
    return bytes.longValueExact();
  }

  /** A length, or a list of height and width, each in [min, max]. */
  Size size(String key, Size fallback, int min, int max) {
    String expected = "an integer from %d to %d, or a list of height and width".formatted(min, max);
    JsonNode value = get(key);
    if (value == null) {
      return fallback;
    }
    if (!Size.is(value)) {
      throw bad(key, expected);
    }
    Size size = Size.read(value);
    if (size.shorter() < min || size.longer() > max) {
      throw bad(key, expected);
    }
    return size;
  }

  boolean flag(String key, boolean fallback) {
    JsonNode value = get(key);
    if (value == null) {
      return fallback;
    }
    if (!value.isBoolean()) {
      throw bad(key, "true or false");
    }
    return value.booleanValue();
  }

  /** An enum constant by its name in camel case; {@code fallback} null makes the key required. */
  <E extends Enum<E>> E choice(String key, E fallback, Class<E> type) {
    String expected =
        Stream.of(type.getEnumConstants()).map(Section::label).collect(Collectors.joining(", "));
    expected = type.getEnumConstants().length == 1 ? expected : "one of " + expected;
    JsonNode value = get(key);
    if (value == null) {
      if (fallback == null) {
        throw bad(key, expected);
      }
      return fallback;
    }
    for (E constant : type.getEnumConstants()) {
      if (value.isTextual() && label(constant).equals(value.asText())) {
        return constant;
      }
    }
    throw bad(key, expected);
  }

  /** The YAML word of an enum constant: its name in camel case. */
  static String label(Enum<?> constant) {
    String[] words = constant.name().toLowerCase(Locale.ROOT).split("_", -1);
    StringBuilder label = new StringBuilder(words[0]);
    for (int i = 1; i < words.length; i++) {
      label.append(Character.toUpperCase(words[i].charAt(0))).append(words[i].substring(1));
    }
    return label.toString();
  }

  /** A list of {@code size} numbers in [min, max]; {@code fallback} where the key is absent. */
  List<Double> numbers(String key, List<Double> fallback, int size, double min, double max) {
    String expected = "a list of " + size + " numbers from " + plain(min) + " to " + plain(max);
    JsonNode value = get(key);
    if (value == null) {
      return fallback;
    }
    if (!value.isArray() || value.size() != size) {
      throw bad(key, expected);
    }
    List<Double> result = new ArrayList<>();
    for (JsonNode element : value) {
      double number = decimal(key, element, expected);
      if (!(number >= min && number <= max)) {
        throw bad(key, expected);
      }
      result.add(number);
    }
    return List.copyOf(result);
  }

  /** A list of integers of at least 0; required. */
  List<Integer> integers(String key) {
    JsonNode value = get(key);
    String expected = "a list of integers of at least 0";
    if (value == null || !value.isArray() || value.isEmpty()) {
      throw bad(key, expected);
    }
    List<Integer> result = new ArrayList<>();
    for (JsonNode element : value) {
      if (!element.isIntegralNumber() || !element.canConvertToInt() || element.intValue() < 0) {
        throw bad(key, expected);
      }
      result.add(element.intValue());
    }
    return List.copyOf(result);
  }

  /** Refuses keys that nobody asked for. */
  void end() {
    for (Iterator<String> keys = node.fieldNames(); keys.hasNext(); ) {
      String key = keys.next();
      if (!known.contains(key)) {
        throw new InputException(
            file
                + ": "
                + keyPath(key)
                + ": unknown key"
                + Suggestion.of(key, known)
                + ", expected one of "
                + String.join(", ", known));
      }
    }
  }
}
