package org.ivit.train.recipe;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.JsonSerializer;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.ser.std.StdSerializer;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.nio.file.Path;
import org.ivit.core.InputException;

/** YAML in and out: strict about duplicate keys, enums in camel case, paths as they were typed. */
final class Yaml {
  static final YAMLMapper MAPPER = mapper();

  private Yaml() {}

  private static YAMLMapper mapper() {
    SimpleModule module = new SimpleModule();
    module.addSerializer(
        Path.class,
        new JsonSerializer<Path>() {
          @Override
          public void serialize(Path path, JsonGenerator out, SerializerProvider provider)
              throws IOException {
            out.writeString(path.toString());
          }
        });
    module.addSerializer(
        new StdSerializer<Enum<?>>(Enum.class, false) {
          @Override
          public void serialize(Enum<?> constant, JsonGenerator out, SerializerProvider provider)
              throws IOException {
            out.writeString(Section.label(constant));
          }
        });
    return YAMLMapper.builder()
        .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
        .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
        .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
        .enable(YAMLGenerator.Feature.MINIMIZE_QUOTES)
        .enable(YAMLGenerator.Feature.ALWAYS_QUOTE_NUMBERS_AS_STRINGS)
        .serializationInclusion(JsonInclude.Include.NON_NULL)
        .addModule(module)
        .build();
  }

  /** Writes null as the word {@code none}, where absence would mean a default. */
  static final class None extends JsonSerializer<Object> {
    @Override
    public void serialize(Object value, JsonGenerator out, SerializerProvider provider)
        throws IOException {
      out.writeString("none");
    }
  }

  /** Writes 0 as the word {@code auto}. */
  static final class AutoForZero extends JsonSerializer<Integer> {
    @Override
    public void serialize(Integer value, JsonGenerator out, SerializerProvider provider)
        throws IOException {
      if (value == 0) {
        out.writeString("auto");
      } else {
        out.writeNumber(value);
      }
    }
  }

  /** Writes records as YAML. */
  static String write(Object value) {
    try {
      return MAPPER.writeValueAsString(value);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * Reads text that is one map.
   *
   * @param file as messages call it
   * @throws InputException naming the line of what is wrong
   */
  static ObjectNode map(String file, String text) {
    JsonNode tree;
    try {
      tree = MAPPER.readTree(text);
    } catch (JacksonException e) {
      throw new InputException(file + ": " + YamlFault.of(e), e);
    }
    if (tree instanceof ObjectNode root) {
      return root;
    }
    String found =
        tree.isMissingNode() || tree.isNull() ? "no keys" : tree.isArray() ? "a list" : "no keys";
    throw new InputException(file + ": found " + found + ", expected a YAML map");
  }

  /** Applies {@code key.path=value}; maps on the way are made, elements of lists must exist. */
  static void set(ObjectNode root, String override) {
    int equals = override.indexOf('=');
    if (equals <= 0) {
      throw new InputException("--set " + override + ": expected key.path=value");
    }
    JsonNode value;
    try {
      value = MAPPER.readTree(override.substring(equals + 1));
    } catch (JacksonException e) {
      throw new InputException("--set " + override + ": the value: " + YamlFault.of(e), e);
    }
    set(root, override.substring(0, equals).trim(), value, override);
  }

  /**
   * Sets a value; maps on the way are made, elements of lists must exist.
   *
   * @param path keys with dots between them
   * @param override as messages call it after {@code --set}
   */
  static void set(ObjectNode root, String path, JsonNode value, String override) {
    String[] keys = path.split("\\.", -1);
    JsonNode node = root;
    for (int i = 0; i < keys.length; i++) {
      boolean last = i == keys.length - 1;
      if (node instanceof ObjectNode map) {
        if (last) {
          map.set(keys[i], value);
        } else {
          JsonNode child = map.get(keys[i]);
          // A word such as "percentile" gives way to the map that spells it out.
          node = child != null && child.isContainerNode() ? child : map.putObject(keys[i]);
        }
      } else if (node instanceof ArrayNode list) {
        int index = index(keys[i], list.size(), override);
        if (last) {
          list.set(index, value);
        } else {
          node = list.get(index);
        }
      } else {
        throw new InputException(
            "--set " + override + ": " + keys[i - 1] + " is neither a map nor a list");
      }
    }
  }

  private static int index(String key, int size, String override) {
    if (key.matches("\\d{1,6}") && Integer.parseInt(key) < size) {
      return Integer.parseInt(key);
    }
    throw new InputException(
        "--set " + override + ": found " + key + ", expected an index below " + size);
  }
}
