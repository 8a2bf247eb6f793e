package org.ivit.core.pretrained;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.family.Swin;
import org.ivit.core.family.Vit;
import org.ivit.core.image.Preprocess;
import org.ivit.core.tensor.TensorFile;

/**
 * A folder as Hugging Face's {@code save_pretrained} leaves it: {@code config.json}, {@code
 * preprocessor_config.json} and {@code model.safetensors}, of {@code ViTForImageClassification},
 * {@code DeiTForImageClassificationWithTeacher} or {@code SwinForImageClassification}.
 *
 * @param architecture sizes, from {@code config.json}
 * @param weights parameters under timm's names
 * @param preprocess from {@code preprocessor_config.json}, or as is usual where there is none
 * @param classes names in the order of the logits
 */
public record HuggingFaceFolder(
    Architecture architecture, TensorFile weights, Preprocess preprocess, List<String> classes) {
  private static final String CONFIG = "config.json";

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
   * @param say hears which tensors of the file are left out
   * @throws InputException naming file and key of what is missing, of a wrong type, or of a model
   *     that is not one of those above
   */
  public static HuggingFaceFolder read(Path folder, Consumer<String> say) {
    JsonFile config = JsonFile.read(folder.resolve(CONFIG));
    List<String> classes = classes(config);
    Architecture architecture = architecture(config, classes.size());
    TensorFile weights = new WeightSearch(architecture, null, say).find(folder);
    WeightCheck.check(weights, architecture);
    Preprocess preprocess =
        HuggingFacePreprocessor.read(
            folder, config.text("model_type"), architecture.image().side(), say);
    return new HuggingFaceFolder(architecture, weights, preprocess, classes);
  }

  /**
   * The transform of a folder alone, without its weights.
   *
   * @param folder what {@code save_pretrained} wrote
   * @param say hears where there is no file of it
   * @throws InputException as {@link #read}
   */
  public static Preprocess preprocess(Path folder, Consumer<String> say) {
    JsonFile config = JsonFile.read(folder.resolve(CONFIG));
    return HuggingFacePreprocessor.read(
        folder, config.text("model_type"), config.side("image_size"), say);
  }

  private static List<String> classes(JsonFile config) {
    JsonNode labels = config.node().get("id2label");
    if (labels == null || labels.isNull()) {
      return unnamed(config);
    }
    if (!labels.isObject() || labels.isEmpty()) {
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

  /** Configurations leave out what is as by default: two classes. */
  private static List<String> unnamed(JsonFile config) {
    int count = config.node().has("num_labels") ? config.integer("num_labels") : 2;
    return IntStream.range(0, count).mapToObj(i -> "LABEL_" + i).toList();
  }

  private static Architecture architecture(JsonFile config, int classes) {
    String type = config.text("model_type");
    boolean distilled = type.equals("deit");
    if (!distilled && !type.equals("vit") && !type.equals("swin")) {
      throw config.wrong("model_type", "\"vit\", \"deit\" or \"swin\"");
    }
    config.require("hidden_act", "gelu", "the exact GELU, \"gelu\"");
    config.require("num_channels", "3", "3");
    config.require("qkv_bias", "true", "true");
    String name = "huggingface_" + type;
    int image = config.side("image_size");
    int patch = config.side("patch_size");
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
              distilled)
          .architecture();
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
            epsilon)
        .architecture();
  }
}
