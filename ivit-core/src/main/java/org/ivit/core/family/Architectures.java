package org.ivit.core.family;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;
import org.ivit.core.InputException;
import org.ivit.core.MessageText;
import org.ivit.core.Size;
import org.ivit.core.Suggestion;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.ArchitectureJson;

/** Finds architectures: by timm name, or from an inline description of any size. */
public final class Architectures {
  /** How the description of each family is read, by its {@code kind}. */
  private static final SortedMap<String, Function<Keys, Family>> FAMILIES =
      new TreeMap<>(Map.of(Vit.KIND, Vit::parse, Swin.KIND, Swin::parse));

  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private Architectures() {}

  /** A description that {@link #parse} reads back to an equal record: name and parts. */
  public static ObjectNode toJson(Architecture architecture) {
    return ArchitectureJson.write(architecture);
  }

  /** A name that ends in the picture size ends in the new one. */
  static String nameFor(String name, Size image, Size size) {
    String suffix = "_" + image;
    return name.endsWith(suffix)
        ? name.substring(0, name.length() - suffix.length()) + "_" + size
        : name;
  }

  /** The timm names that {@link #byName} knows, without tags. */
  public static List<String> names() {
    return RegisteredModel.all().keySet().stream().filter(name -> !name.contains(".")).toList();
  }

  /**
   * Finds a registered architecture, with its 1000 ImageNet classes or, of models that answer with
   * features, none.
   *
   * @param timmName for example {@code deit_tiny_patch16_224}, or with the tag of its weights,
   *     {@code vit_tiny_patch16_224.augreg_in21k_ft_in1k}, which names other sizes only where such
   *     weights have no classes, {@code vit_base_patch16_224.dino}
   * @throws InputException naming it and the known ones, if it is not registered
   */
  public static Architecture byName(String timmName) {
    return familyOf(timmName).architecture();
  }

  private static Family familyOf(String timmName) {
    RegisteredModel found = RegisteredModel.of(timmName);
    if (found == null) {
      throw new InputException(
          "architecture %s: unknown%s, expected one of %s or an inline description"
              .formatted(
                  MessageText.quote(timmName),
                  Suggestion.of(timmName, names()),
                  String.join(", ", names())));
    }
    return ofKind(new Keys(found.description().deepCopy()));
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
   * A timm name as a JSON string, or a description as an object. Kind {@code vit}: {@code image},
   * {@code patch}, {@code dim}, {@code depth}, {@code heads}, {@code classes} (0 for features);
   * optional {@code name}, {@code hidden} (4 · dim), {@code epsilon} (1e-6) and the {@link
   * VitOptions} {@code class_token} (true), {@code distilled} (false), {@code registers} (0),
   * {@code positions} ({@code all}, {@code patches} or {@code none}), {@code relative_positions}
   * (false), {@code rotary} ({@code dinov3} or {@code cat}; none) with {@code rotary_grid} (that of
   * the picture), {@code pre_norm} (false), {@code mlp} ({@code plain}, {@code swiglu} or {@code
   * swiglu_norm}), {@code activation} ({@code gelu}, {@code quick_gelu} or {@code gelu_tanh}),
   * {@code pool} ({@code token}, {@code avg}, {@code token_avg} or {@code map}), {@code fc_norm}
   * (false) and {@code projection} (false). An {@code image} is a number or [height, width]. Kind
   * {@code swin}: {@code image}, {@code patch}, {@code window}, {@code dim}, {@code depths} and
   * {@code heads} (a list, one a stage), {@code classes}; optional {@code name} and {@code epsilon}
   * (1e-5). Or {@code base}, a timm name, with another {@code image} or other {@code classes}; or
   * {@code parts}, as {@link #toJson} writes them.
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
    if (object.has("parts")) {
      return ArchitectureJson.read(object, Architecture.class);
    }
    Keys keys = new Keys(object.deepCopy());
    Family parsed = object.has("base") ? based(keys) : ofKind(keys);
    keys.expectNoMore();
    return parsed.architecture();
  }

  private static Family ofKind(Keys keys) {
    String kind = keys.text("kind", null);
    Function<Keys, Family> parser = FAMILIES.get(kind);
    if (parser == null) {
      throw new InputException(
          "architecture: kind is %s, expected %s"
              .formatted(MessageText.quote(kind), String.join(" or ", FAMILIES.keySet())));
    }
    return parser.apply(keys);
  }

  private static Family based(Keys keys) {
    Family base = familyOf(keys.text("base", null));
    Size image = keys.size("image", base.image());
    int classes = keys.integer("classes", base.classes());
    return base.with(image, classes);
  }
}
