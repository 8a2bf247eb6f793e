package org.ivit.core.pretrained;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.ivit.core.InputException;
import org.ivit.core.MessageText;
import org.ivit.core.io.FileFailures;

/** An object of a file, whose keys are asked for by type. */
record JsonFile(Path file, JsonNode node) {
  private static final long LARGEST = 16 << 20;

  static JsonFile read(Path file) {
    try {
      if (!Files.isRegularFile(file)) {
        throw new InputException(file + ": no such file");
      }
      if (Files.size(file) > LARGEST) {
        throw new InputException(file + ": is larger than 16 MiB");
      }
      JsonNode node = new ObjectMapper().readTree(Files.readAllBytes(file));
      if (!node.isObject()) {
        throw new InputException(file + ": is no JSON object");
      }
      return new JsonFile(file, node);
    } catch (JsonProcessingException e) {
      throw new InputException(file + ": not well-formed JSON: " + MessageText.problem(e), e);
    } catch (IOException e) {
      throw new InputException(file + ": cannot be read: " + FileFailures.reason(e), e);
    }
  }

  String text(String key) {
    JsonNode value = node.get(key);
    if (value == null || !value.isTextual()) {
      throw wrong(key, "a text");
    }
    return value.textValue();
  }

  /** The object below a key, whose keys are asked for as those of the file. */
  JsonFile object(String key) {
    JsonNode value = node.get(key);
    if (value == null || !value.isObject()) {
      throw wrong(key, "an object");
    }
    return new JsonFile(file, value);
  }

  /** Whether a key is there and not null. */
  boolean has(String key) {
    return node.hasNonNull(key);
  }

  String text(String key, String otherwise) {
    return has(key) ? text(key) : otherwise;
  }

  int integer(String key, int otherwise) {
    return has(key) ? integer(key) : otherwise;
  }

  double real(String key, double otherwise) {
    return has(key) ? real(key) : otherwise;
  }

  boolean flag(String key, boolean otherwise) {
    JsonNode value = node.get(key);
    if (value == null || value.isNull()) {
      return otherwise;
    }
    if (!value.isBoolean()) {
      throw wrong(key, "true or false");
    }
    return value.booleanValue();
  }

  int integer(String key) {
    JsonNode value = node.get(key);
    if (value == null || !value.isInt()) {
      throw wrong(key, "an integer");
    }
    return value.intValue();
  }

  /** A length in pixels, or a list of two that are the same. */
  int side(String key) {
    JsonNode value = node.get(key);
    boolean square =
        value != null && value.isArray() && value.size() == 2 && value.get(0).equals(value.get(1));
    JsonNode side = square ? value.get(0) : value;
    if (side == null || !side.isInt()) {
      throw wrong(key, "an integer, or two that are the same");
    }
    return side.intValue();
  }

  double real(String key) {
    JsonNode value = node.get(key);
    if (value == null || !value.isNumber()) {
      throw wrong(key, "a number");
    }
    return value.doubleValue();
  }

  List<Integer> integers(String key) {
    JsonNode value = node.get(key);
    List<Integer> list = new ArrayList<>();
    if (value != null && value.isArray()) {
      value.forEach(item -> list.add(item.isInt() ? item.intValue() : null));
    }
    if (list.isEmpty() || list.contains(null)) {
      throw wrong(key, "a list of integers");
    }
    return list;
  }

  float[] three(String key) {
    JsonNode value = node.get(key);
    float[] numbers = new float[3];
    boolean good = value != null && value.isArray() && value.size() == numbers.length;
    for (int i = 0; good && i < numbers.length; i++) {
      good = value.get(i).isNumber();
      numbers[i] = value.get(i).floatValue();
    }
    if (!good) {
      throw wrong(key, "three numbers");
    }
    return numbers;
  }

  /** A key that, where it is given, allows one value only. */
  void require(String key, String only, String expected) {
    JsonNode value = node.get(key);
    if (value != null && !value.asText().equals(only)) {
      throw wrong(key, expected);
    }
  }

  /** Where {@code architectures} are listed, one of them must be the only one that is known. */
  void requireClass(String only) {
    JsonNode value = node.get("architectures");
    if (value == null || !value.isArray()) {
      return;
    }
    for (JsonNode name : value) {
      if (name.asText().equals(only)) {
        return;
      }
    }
    throw new InputException(
        "%s: architectures is %s, expected %s"
            .formatted(file, MessageText.line(value.toString()), only));
  }

  InputException wrong(String key, String expected) {
    JsonNode value = node.get(key);
    String found =
        value == null
            ? "missing"
            : value.isContainerNode() ? "not usable" : MessageText.line(value.toString());
    return new InputException("%s: %s is %s, expected %s".formatted(file, key, found, expected));
  }
}
