package org.ivit.core.architecture;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.ivit.core.InputException;
import org.ivit.core.MessageText;
import org.ivit.core.Suggestion;

/** Finds architectures: by timm name, or from an inline description of any size. */
public final class Architectures {
  private static final double EPSILON = 1e-6;
  private static final double SWIN_EPSILON = 1e-5;
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();
  private static final Map<String, Architecture> BY_NAME = register();

  private Architectures() {}

  private static Map<String, Architecture> register() {
    Map<String, Architecture> all = new LinkedHashMap<>();
    register(all, "vit_tiny_patch16_224", 192, 12, 3);
    register(all, "vit_small_patch16_224", 384, 12, 6);
    register(all, "vit_base_patch16_224", 768, 12, 12);
    register(all, "vit_large_patch16_224", 1024, 24, 16);
    register(all, "deit_tiny_patch16_224", 192, 12, 3);
    register(all, "deit_small_patch16_224", 384, 12, 6);
    register(all, "deit_base_patch16_224", 768, 12, 12);
    registerDistilled(all, "deit_tiny_distilled_patch16_224", 192, 3);
    registerDistilled(all, "deit_small_distilled_patch16_224", 384, 6);
    registerDistilled(all, "deit_base_distilled_patch16_224", 768, 12);
    register(all, "swin_tiny_patch4_window7_224", 96, List.of(2, 2, 6, 2), List.of(3, 6, 12, 24));
    register(all, "swin_small_patch4_window7_224", 96, List.of(2, 2, 18, 2), List.of(3, 6, 12, 24));
    register(all, "swin_base_patch4_window7_224", 128, List.of(2, 2, 18, 2), List.of(4, 8, 16, 32));
    return Collections.unmodifiableMap(all);
  }

  private static void register(
      Map<String, Architecture> all, String name, int dim, int depth, int heads) {
    all.put(name, new Vit(name, 224, 16, dim, depth, heads, 4 * dim, 1000, EPSILON));
  }

  private static void registerDistilled(
      Map<String, Architecture> all, String name, int dim, int heads) {
    all.put(name, new Vit(name, 224, 16, dim, 12, heads, 4 * dim, 1000, EPSILON, true));
  }

  private static void register(
      Map<String, Architecture> all,
      String name,
      int dim,
      List<Integer> depths,
      List<Integer> heads) {
    all.put(name, new Swin(name, 224, 4, 7, dim, depths, heads, 1000, SWIN_EPSILON));
  }

  /** A name that ends in the picture size ends in the new one. */
  static String nameFor(String name, int image, int size) {
    String suffix = "_" + image;
    return name.endsWith(suffix)
        ? name.substring(0, name.length() - suffix.length()) + "_" + size
        : name;
  }

  /** The timm names that {@link #byName} knows. */
  public static List<String> names() {
    return List.copyOf(BY_NAME.keySet());
  }

  /**
   * Finds a registered architecture, with its 1000 ImageNet classes.
   *
   * @param timmName for example {@code deit_tiny_patch16_224}, or with the tag of its weights,
   *     {@code vit_tiny_patch16_224.augreg_in21k_ft_in1k}, which names no other sizes
   * @throws InputException naming it and the known ones, if it is not registered
   */
  public static Architecture byName(String timmName) {
    int tag = timmName.indexOf('.');
    Architecture found = BY_NAME.get(tag < 0 ? timmName : timmName.substring(0, tag));
    if (found == null) {
      throw new InputException(
          "architecture %s: unknown%s, expected one of %s or an inline description"
              .formatted(
                  MessageText.quote(timmName),
                  Suggestion.of(timmName, names()),
                  String.join(", ", names())));
    }
    return found;
  }

  /**
   * A timm name, or a description as JSON text.
   *
   * @param text for example {@code vit_tiny_patch16_224} or {@code {"kind":"vit","image":32,...}}
   * @throws InputException if it is neither
   */
  public static Architecture parse(String text) {
    if (!text.stripLeading().startsWith("{")) {
      return byName(text.strip());
    }
    try {
      return parse(JSON.readTree(text));
    } catch (JsonProcessingException e) {
      throw new InputException("architecture: not well-formed JSON: " + MessageText.problem(e), e);
    }
  }

  /**
   * A description as a map, for example a part of a YAML run.
   *
   * @param description see {@link #parse(JsonNode)}
   * @throws InputException naming the key that is wrong
   */
  public static Architecture parse(Map<String, ?> description) {
    JsonNode tree = JSON.valueToTree(description);
    return parse(tree);
  }

  /**
   * A timm name as a JSON string, or a description as an object. Kind {@code vit}: {@code image},
   * {@code patch}, {@code dim}, {@code depth}, {@code heads}, {@code classes}; optional {@code
   * name}, {@code hidden} (4 · dim), {@code epsilon} (1e-6) and {@code distilled} (false). Kind
   * {@code swin}: {@code image}, {@code patch}, {@code window}, {@code dim}, {@code depths} and
   * {@code heads} (a list, one a stage), {@code classes}; optional {@code name} and {@code epsilon}
   * (1e-5). Or {@code base}, a timm name, with another {@code image} or other {@code classes}.
   *
   * @param description the JSON
   * @throws InputException naming the key that is unknown, missing, of a wrong type or out of range
   */
  public static Architecture parse(JsonNode description) {
    if (description.isTextual()) {
      return byName(description.textValue());
    }
    if (!(description instanceof ObjectNode object)) {
      throw new InputException(
          "architecture: is %s, expected a timm name or an object"
              .formatted(MessageText.line(description.toString())));
    }
    Keys keys = new Keys(object.deepCopy());
    if (object.has("base")) {
      Architecture based = based(keys);
      keys.expectNoMore();
      return based;
    }
    String kind = keys.text("kind", null);
    Architecture parsed =
        switch (kind) {
          case Vit.KIND -> vit(keys);
          case Swin.KIND -> swin(keys);
          default ->
              throw new InputException(
                  "architecture: kind is %s, expected %s or %s"
                      .formatted(MessageText.quote(kind), Vit.KIND, Swin.KIND));
        };
    keys.expectNoMore();
    return parsed;
  }

  private static Architecture based(Keys keys) {
    Architecture base = byName(keys.text("base", null));
    int image = keys.integer("image", base.image());
    int classes = keys.integer("classes", base.classes());
    return (image == base.image() ? base : base.withImage(image)).withClasses(classes);
  }

  private static Vit vit(Keys keys) {
    int image = keys.integer("image", null);
    int patch = keys.integer("patch", null);
    int dim = keys.integer("dim", null);
    int depth = keys.integer("depth", null);
    int heads = keys.integer("heads", null);
    int classes = keys.integer("classes", null);
    // Overflows only for a dim that is refused before hidden is looked at.
    int hidden = keys.integer("hidden", 4 * dim);
    double epsilon = keys.real("epsilon", EPSILON);
    boolean distilled = keys.flag("distilled");
    String name = keys.text("name", "vit_%dx%d_patch%d_%d".formatted(dim, depth, patch, image));
    return new Vit(name, image, patch, dim, depth, heads, hidden, classes, epsilon, distilled);
  }

  private static Swin swin(Keys keys) {
    int image = keys.integer("image", null);
    int patch = keys.integer("patch", null);
    int window = keys.integer("window", null);
    int dim = keys.integer("dim", null);
    List<Integer> depths = keys.integers("depths");
    List<Integer> heads = keys.integers("heads");
    int classes = keys.integer("classes", null);
    double epsilon = keys.real("epsilon", SWIN_EPSILON);
    String name =
        keys.text("name", "swin_%d_patch%d_window%d_%d".formatted(dim, patch, window, image));
    return new Swin(name, image, patch, window, dim, depths, heads, classes, epsilon);
  }

  /** Takes keys out of an object, so that what stays is unknown. */
  private record Keys(ObjectNode object, Set<String> known) {
    Keys(ObjectNode object) {
      this(object, new LinkedHashSet<>());
    }

    private JsonNode take(String key, boolean required) {
      known.add(key);
      JsonNode value = object.remove(key);
      if (value == null && required) {
        List<String> found = new ArrayList<>();
        object.fieldNames().forEachRemaining(found::add);
        String slip =
            Suggestion.nearest(key, found).map(name -> " (found " + name + ")").orElse("");
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
            .forEachRemaining(
                key -> unknown.add(MessageText.quote(key) + Suggestion.of(key, known)));
        throw new InputException("architecture: unknown key " + MessageText.list(unknown));
      }
    }

    private static InputException wrong(String key, JsonNode value, String expected) {
      return new InputException(
          "architecture: %s is %s, expected %s"
              .formatted(key, MessageText.line(value.toString()), expected));
    }
  }
}
