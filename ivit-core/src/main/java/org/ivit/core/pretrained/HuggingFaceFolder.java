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
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Swin;
import org.ivit.core.architecture.Vit;
import org.ivit.core.architecture.WeightCheck;
import org.ivit.core.image.Interpolation;
import org.ivit.core.image.Preprocess;
import org.ivit.core.io.FileFailures;
import org.ivit.core.tensor.TensorFile;
import org.ivit.core.tensor.TensorFiles;

/**
 * A folder as Hugging Face's {@code save_pretrained} leaves it: {@code config.json}, {@code
 * preprocessor_config.json} and {@code model.safetensors}, of {@code ViTForImageClassification},
 * {@code DeiTForImageClassificationWithTeacher} or {@code SwinForImageClassification}.
 *
 * @param architecture sizes, from {@code config.json}
 * @param weights parameters under timm's names
 * @param preprocess from {@code preprocessor_config.json}
 * @param classes names in the order of the logits
 */
public record HuggingFaceFolder(
    Architecture architecture, TensorFile weights, Preprocess preprocess, List<String> classes) {
  private static final String CONFIG = "config.json";
  private static final String PREPROCESSOR = "preprocessor_config.json";
  private static final long LARGEST = 16 << 20;
  private static final int BILINEAR = 2;
  private static final int BICUBIC = 3;

  /** Copies. */
  public HuggingFaceFolder {
    classes = List.copyOf(classes);
  }

  /** Whether a folder holds a {@code config.json}. */
  public static boolean is(Path folder) {
    return Files.isRegularFile(folder.resolve(CONFIG));
  }

  /**
   * Reads and checks a folder.
   *
   * @param folder what {@code save_pretrained} wrote
   * @throws InputException naming file and key of what is missing, of a wrong type, or of a model
   *     that is not one of those above
   */
  public static HuggingFaceFolder read(Path folder) {
    Json config = Json.read(folder.resolve(CONFIG));
    List<String> classes = classes(config);
    Architecture architecture = architecture(config, classes.size());
    TensorFile weights = TensorFiles.weights(folder);
    WeightCheck.check(weights, architecture);
    Preprocess preprocess =
        preprocess(Json.read(folder.resolve(PREPROCESSOR)), architecture.image());
    return new HuggingFaceFolder(architecture, weights, preprocess, classes);
  }

  private static List<String> classes(Json config) {
    JsonNode labels = config.node.get("id2label");
    if (labels == null || !labels.isObject() || labels.isEmpty()) {
      throw config.wrong("id2label", "the names of the classes by number");
    }
    List<String> names = new ArrayList<>();
    for (int i = 0; i < labels.size(); i++) {
      JsonNode name = labels.get(Integer.toString(i));
      if (name == null || !name.isTextual()) {
        throw config.wrong("id2label", "a name for each class from 0 on, none for " + i);
      }
      names.add(name.textValue());
    }
    return names;
  }

  private static Architecture architecture(Json config, int classes) {
    String type = config.text("model_type");
    boolean distilled = type.equals("deit");
    if (!distilled && !type.equals("vit") && !type.equals("swin")) {
      throw config.wrong("model_type", "\"vit\", \"deit\" or \"swin\"");
    }
    config.require("hidden_act", "gelu", "the exact GELU, \"gelu\"");
    config.require("num_channels", "3", "3");
    config.require("qkv_bias", "true", "true");
    String name = "huggingface_" + type;
    int image = config.integer("image_size");
    int patch = config.integer("patch_size");
    double epsilon = config.real("layer_norm_eps");
    if (distilled) {
      config.requireClass("DeiTForImageClassificationWithTeacher");
    }
    if (!type.equals("swin")) {
      return new Vit(
          name,
          image,
          patch,
          config.integer("hidden_size"),
          config.integer("num_hidden_layers"),
          config.integer("num_attention_heads"),
          config.integer("intermediate_size"),
          classes,
          epsilon,
          distilled);
    }
    config.require("use_absolute_embeddings", "false", "false");
    if (config.real("mlp_ratio") != 4) {
      throw config.wrong("mlp_ratio", "4");
    }
    return new Swin(
        name,
        image,
        patch,
        config.integer("window_size"),
        config.integer("embed_dim"),
        config.integers("depths"),
        config.integers("num_heads"),
        classes,
        epsilon);
  }

  private static Preprocess preprocess(Json config, int image) {
    Interpolation interpolation =
        switch (config.integer("resample")) {
          case BILINEAR -> Interpolation.BILINEAR;
          case BICUBIC -> Interpolation.BICUBIC;
          default -> throw config.wrong("resample", "2, bilinear, or 3, bicubic");
        };
    JsonNode crops = config.node.get("do_center_crop");
    boolean cropped = crops != null && crops.asBoolean();
    return new Preprocess(
        cropped ? side(config, "size") : image,
        image,
        interpolation,
        config.three("image_mean"),
        config.three("image_std"));
  }

  /** A number, {@code {"height", "width"}} or {@code {"shortest_edge"}}. */
  private static int side(Json config, String key) {
    JsonNode size = config.node.path(key);
    JsonNode side = size;
    if (size.isObject()) {
      side = size.has("shortest_edge") ? size.path("shortest_edge") : size.path("height");
    }
    if (!side.isInt()) {
      throw config.wrong(key, "a length in pixels");
    }
    return side.intValue();
  }

  /** An object of a file, whose keys are asked for by type. */
  private record Json(Path file, JsonNode node) {
    static Json read(Path file) {
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
        return new Json(file, node);
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

    int integer(String key) {
      JsonNode value = node.get(key);
      if (value == null || !value.isInt()) {
        throw wrong(key, "an integer");
      }
      return value.intValue();
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
}
