package org.ivit.train.recipe;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.ivit.core.InputException;
import org.ivit.core.Size;

/**
 * The page of all keys of a recipe. Keys are the components of the records; what a key expects is
 * what its reader says where it refuses a senseless value; defaults are what readers make of
 * recipes that leave the key out; meanings are the Javadoc of the records.
 */
final class RecipePage {
  /** A whole recipe. */
  static final String EXAMPLE =
      """
      architecture: vit_tiny_patch16_224
      weights: vit_tiny_patch16_224.safetensors
      data:
        train: path/to/train
        validation: path/to/val
      optimizer:
        batchSize: 32
      schedule:
        epochs: 4
      distillation: {}
      output: runs/tiny
      """;

  private static final String INTRODUCTION =
      """
      # Every key of a recipe

      A recipe is the YAML file that `ivit train --config F` runs, such as

      ```yaml
      %s```

      or one of [configs](../configs), whose results were measured. `--set key.path=value` replaces a value, such as `--set
      optimizer.learningRate=1e-6`. The other keys have the defaults below; `config.yaml` in a run's folder says all of them. An
      unknown key is refused. A key whose value is `null` counts as absent. Paths are relative to the working directory.

      The tables are made from the code. A test compares; after a change this writes them anew:

      ```
      mvn -pl ivit-train -am test -Dtest=RecipePageTest -Dsurefire.failIfNoSpecifiedTests=false -Divit.write=true
      ```
      """;

  /** Epochs that no default happens to be. */
  private static final int EPOCHS = 97;

  private static final String HOLDS_REQUIRED = "holds required keys";
  private static final String UNKNOWN = "unknownKey";

  /** A recipe that trains, with all sections that are not there unless they are asked for. */
  private static final List<String> FILLED =
      List.of(
          "schedule.epochs=" + EPOCHS,
          "data.train={procedural: {pictures: 100}}",
          "distillation={teacher: {weights: teacher.safetensors}}",
          "augmentation.colorJitter={}",
          "augmentation.randomErasing={}",
          "quantization.outliers={NODE: {channels: [1], shift: 3}}",
          "quantization.weights.overrides=[{pattern: head, bits: 8}]",
          "quantization.observers.overrides=[{pattern: input, observer: mse}]");

  /** What a default may depend on, in words and in the recipe. */
  private static final Map<String, String> CASES = new LinkedHashMap<>();

  static {
    CASES.put("without `weights`", "weights=none");
    CASES.put("with `weights.bits` below 8", "quantization.weights.bits=4");
    CASES.put("with `schedule.epochs: 0`", "schedule.epochs=0");
    CASES.put("with the paper's forms of `gelu`", "quantization.gelu=row");
    CASES.put("with `softmax: deferred`", "quantization.softmax=deferred");
    CASES.put("beside `randAugment`", "augmentation.randAugment=rand-m9-mstd0.5-inc1");
  }

  /** Defaults that are not the code's. */
  private static final Map<String, String> ELSEWHERE =
      Map.of(
          "threads", "one a processor",
          "data.preprocessing.interpolation", "that of the weights",
          "data.preprocessing.cropMode", "that of the weights",
          "data.preprocessing.mean", "that of the weights",
          "data.preprocessing.std", "that of the weights");

  /** A key of YAML that stands for another one. */
  private static final Map<Class<?>, String> SHORTHANDS = Map.of(ObserverRules.Rule.class, "range");

  private final RecordDocs docs = new RecordDocs();

  /** By record, in the order of the page, where its keys lie. */
  private final Map<Class<?>, List<String>> places = new LinkedHashMap<>();

  RecipePage() {
    collect(Recipe.class, "");
  }

  /** Returns the page. */
  String text() {
    StringBuilder page = new StringBuilder(INTRODUCTION.formatted(EXAMPLE));
    places.forEach(
        (type, paths) -> {
          if (type == ObserverChoice.class) {
            page.append(observers(paths));
          } else if (type != OutlierChoice.class) {
            page.append(section(type, paths));
          }
        });
    return page.toString();
  }

  /**
   * Returns the keys of each section that the page has and its reader does not know, or the other
   * way.
   */
  List<String> differences() {
    List<String> differences = new ArrayList<>();
    places.forEach(
        (type, paths) -> {
          if (type != ObserverChoice.class && type != OutlierChoice.class) {
            Set<String> here = new TreeSet<>();
            Arrays.stream(type.getRecordComponents()).forEach(c -> here.add(key(c)));
            if (SHORTHANDS.containsKey(type)) {
              here.add(SHORTHANDS.get(type));
            }
            String words = refusal(FILLED, join(filled(paths), UNKNOWN), "1");
            Set<String> read = new TreeSet<>(List.of(words.split(", ", -1)));
            if (!here.equals(read)) {
              differences.add(type + ": on the page " + here + ", read " + read);
            }
          }
        });
    return differences;
  }

  private void collect(Class<?> type, String path) {
    places.computeIfAbsent(type, key -> new ArrayList<>()).add(path);
    if (type.isRecord()) {
      for (RecordComponent component : type.getRecordComponents()) {
        Class<?> nested = nested(component);
        if (nested != null) {
          collect(nested, nestedPath(component, path));
        }
      }
    }
  }

  /** The record whose components are keys below this one; null where there are none. */
  private static Class<?> nested(RecordComponent component) {
    Class<?> type = component.getType();
    if (component.getGenericType() instanceof ParameterizedType generic) {
      Type[] arguments = generic.getActualTypeArguments();
      type = arguments[arguments.length - 1] instanceof Class<?> element ? element : type;
    }
    boolean keys =
        (type.isRecord() && type != RandAugmentPolicy.class && type != Size.class)
            || type.isSealed();
    return keys ? type : null;
  }

  private static String nestedPath(RecordComponent component, String path) {
    if (component.getDeclaringRecord() == OutlierChoice.class) {
      return path + ".NODE";
    }
    String own = join(path, key(component));
    return component.getType() == List.class ? own + ".0" : own;
  }

  private static String join(String path, String key) {
    return path.isEmpty() ? key : path + "." + key;
  }

  /** The first of the places that is there in the filled recipe. */
  private static String filled(List<String> paths) {
    Recipe recipe = parse(tree(FILLED));
    return paths.stream()
        .filter(path -> path.isEmpty() || value(recipe, path) != null)
        .findFirst()
        .orElseThrow();
  }

  private static String key(RecordComponent component) {
    JsonProperty named = component.getAccessor().getAnnotation(JsonProperty.class);
    return named == null ? component.getName() : named.value();
  }

  private static String shown(String path) {
    return path.replace(".0", "");
  }

  private String title(Class<?> type) {
    List<String> paths = places.get(type);
    return type == Recipe.class
        ? "The recipe"
        : paths.size() == 1
            ? shown(paths.get(0))
            : type.getSimpleName().replaceFirst("Choice$", "");
  }

  private String heading(Class<?> type, List<String> paths) {
    String where =
        paths.size() == 1
            ? ""
            : "Of "
                + paths.stream().map(p -> "`" + shown(p) + "`").collect(Collectors.joining(", "))
                + ". ";
    return "\n## " + title(type) + "\n\n" + wrapped(where + sentence(docs.of(type))) + "\n\n";
  }

  private String section(Class<?> type, List<String> paths) {
    StringBuilder section = new StringBuilder(heading(type, paths));
    section.append("| key | expects | default | meaning |\n|---|---|---|---|\n");
    for (RecordComponent component : type.getRecordComponents()) {
      String key = key(component);
      String path = join(filled(paths), key);
      section.append(
          row(
              "`" + key + "`",
              expects(FILLED, path, component),
              defaults(path, component),
              meaning(component)));
    }
    return section.toString();
  }

  private String observers(List<String> paths) {
    StringBuilder section = new StringBuilder(heading(ObserverChoice.class, paths));
    section.append("| name | beside it | default | meaning |\n|---|---|---|---|\n");
    for (Class<?> type : ObserverChoice.class.getPermittedSubclasses()) {
      String simple = type.getSimpleName();
      String name = Character.toLowerCase(simple.charAt(0)) + simple.substring(1);
      List<String> recipe = new ArrayList<>(FILLED);
      recipe.add(
          "%s={name: %s%s}"
              .formatted(
                  paths.get(0),
                  name,
                  type == ObserverChoice.Fixed.class ? ", min: 0, max: 1" : ""));
      List<String> keys = new ArrayList<>();
      List<String> defaults = new ArrayList<>();
      StringBuilder meanings = new StringBuilder(sentence(docs.of(type)));
      for (RecordComponent component : type.getRecordComponents()) {
        String path = join(paths.get(0), key(component));
        keys.add("`" + key(component) + "`: " + expects(recipe, path, component));
        defaults.add(absent(recipe, path));
        meanings.append(" <br>`").append(key(component)).append("`: ").append(meaning(component));
      }
      section.append(
          row(
              "`" + name + "`",
              String.join("; ", keys),
              String.join("; ", defaults),
              meanings.toString()));
    }
    return section.toString();
  }

  private static String row(String... cells) {
    return Stream.of(cells)
        .map(cell -> cell.replace("|", "\\|").replaceAll("\\s+", " "))
        .collect(Collectors.joining(" | ", "| ", " |\n"));
  }

  /** What the Javadoc says of a component, and of the values of an enumeration. */
  private String meaning(RecordComponent component) {
    StringBuilder meaning =
        new StringBuilder(clause(docs.of(component.getDeclaringRecord(), component.getName())));
    if (component.getType().isEnum()) {
      for (Object constant : component.getType().getEnumConstants()) {
        Enum<?> value = (Enum<?>) constant;
        meaning
            .append(" <br>`")
            .append(Section.label(value))
            .append("`: ")
            .append(clause(docs.of(component.getType(), value.name())));
      }
    }
    return meaning.toString();
  }

  /** What is null in the code is absent in YAML. */
  private static String clause(String text) {
    return text.replaceAll("\\bnull\\b", "absent").replaceFirst("[.]$", "");
  }

  private static String sentence(String text) {
    return clause(text) + ".";
  }

  /** Lines of the width of the other pages. */
  private static String wrapped(String text) {
    return Stream.of(text.split("\n\n", -1))
        .map(p -> p.replaceAll("\\s+", " ").replaceAll("(.{1,125})(?: |$)", "$1\n").strip())
        .collect(Collectors.joining("\n\n"));
  }

  private String expects(List<String> recipe, String path, RecordComponent component) {
    String words =
        component.getType() == JsonNode.class
            ? refusal(recipe, "architecture", "[[]]")
            : refusal(recipe, path, "[[]]");
    if (component.getType().isEnum()) {
      words =
          Stream.of(words.replaceFirst("^one of ", "").split(", ", -1))
              .map(word -> "`" + word + "`")
              .collect(Collectors.joining(", "));
    }
    Class<?> nested = nested(component);
    if (nested == OutlierChoice.class) {
      nested = OutlierChoice.Channels.class;
    }
    if (nested == null) {
      return words;
    }
    String title = title(nested);
    String anchor = title.toLowerCase(Locale.ROOT).replace(".", "").replace(' ', '-');
    return "%s%s: [%s](#%s)"
        .formatted(words, words.contains("map") ? "" : ", or a map", title, anchor);
  }

  /** The words after {@code expected} where a value is refused. */
  private static String refusal(List<String> recipe, String path, String value) {
    ObjectNode root = tree(recipe);
    Yaml.set(root, path + "=" + value);
    try {
      parse(root);
    } catch (InputException e) {
      Matcher said =
          Pattern.compile("recipe: " + Pattern.quote(path) + ": .*?, expected (?:one of )?(.*)")
              .matcher(e.getMessage());
      if (said.matches()) {
        return said.group(1);
      }
      throw new IllegalStateException(path + ": " + e.getMessage(), e);
    }
    throw new IllegalStateException(path + ": " + value + " is not refused");
  }

  private static ObjectNode tree(List<String> overrides) {
    ObjectNode root = Yaml.map("example", EXAMPLE);
    overrides.forEach(override -> Yaml.set(root, override));
    return root;
  }

  private static Recipe parse(ObjectNode root) {
    return Recipe.parse("recipe", Yaml.write(root), List.of());
  }

  private String defaults(String path, RecordComponent component) {
    String elsewhere = ELSEWHERE.get(path);
    if (elsewhere != null) {
      return elsewhere;
    }
    String usual = absent(FILLED, path);
    if (usual.equals(HOLDS_REQUIRED)) {
      return usual;
    }
    if (nested(component) != null && usual.equals(given(path))) {
      return "its keys'";
    }
    StringBuilder defaults = new StringBuilder(usual);
    CASES.forEach(
        (words, override) -> {
          List<String> recipe = new ArrayList<>(FILLED);
          recipe.add(override);
          String other = absent(recipe, path);
          if (!other.equals(usual)) {
            defaults.append("; ").append(other).append(' ').append(words);
          }
        });
    return defaults.toString();
  }

  /** What a section is where none of its keys is said; null where that is refused. */
  private static String given(String path) {
    ObjectNode root = tree(FILLED);
    Yaml.set(root, path + "={}");
    try {
      return word(value(parse(root), path));
    } catch (InputException e) {
      return null;
    }
  }

  /** What a recipe has for a key that it does not say. */
  private static String absent(List<String> recipe, String path) {
    ObjectNode root = tree(recipe);
    int dot = path.lastIndexOf('.');
    JsonNode parent = root.at("/" + (dot < 0 ? "" : path.substring(0, dot)).replace('.', '/'));
    if (dot < 0) {
      parent = root;
    }
    if (parent instanceof ObjectNode map) {
      map.remove(path.substring(dot + 1));
    }
    try {
      return word(value(parse(root), path));
    } catch (InputException e) {
      if (e.getMessage().startsWith("recipe: " + path + ": missing key")) {
        return "required";
      }
      return e.getMessage().startsWith("recipe: " + path + ".") ? HOLDS_REQUIRED : "none";
    }
  }

  /** The value at a path of keys in a recipe; null where it or what it would lie in is absent. */
  private static Object value(Recipe recipe, String path) {
    Object at = recipe;
    for (String key : path.split("\\.", -1)) {
      if (at instanceof OutlierChoice outliers) {
        at = outliers.given();
      }
      if (at instanceof List<?> list) {
        at = list.get(Integer.parseInt(key));
      } else if (at instanceof Map<?, ?> map) {
        at = map.get(key);
      } else if (at != null) {
        at = component(at, key);
      }
    }
    return at;
  }

  private static Object component(Object record, String key) {
    for (RecordComponent component : record.getClass().getRecordComponents()) {
      if (key(component).equals(key)) {
        try {
          return component.getAccessor().invoke(record);
        } catch (ReflectiveOperationException e) {
          throw new IllegalStateException(e);
        }
      }
    }
    throw new IllegalStateException(record + " has no " + key);
  }

  /** A value as one writes it in YAML, in one line. */
  private static String word(Object value) {
    if (value == null) {
      return "none";
    }
    if (value.equals(EPOCHS)) {
      return "the number of epochs";
    }
    return flow(Yaml.MAPPER.valueToTree(value));
  }

  private static String flow(JsonNode value) {
    if (value.isFloatingPointNumber()) {
      double number = value.doubleValue();
      return number == Math.rint(number)
          ? Long.toString((long) number)
          : Double.toString(number).replace(".0E", "e").replace('E', 'e');
    }
    if (value.isArray()) {
      List<String> items = new ArrayList<>();
      value.forEach(item -> items.add(flow(item)));
      return "[" + String.join(", ", items) + "]";
    }
    if (value.isObject()) {
      List<String> items = new ArrayList<>();
      value.properties().forEach(e -> items.add(e.getKey() + ": " + flow(e.getValue())));
      return "`{" + String.join(", ", items) + "}`";
    }
    return value.asText();
  }
}
