package org.ivit.core.pretrained;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.function.Consumer;
import org.ivit.core.family.PretrainedPreprocess;
import org.ivit.core.image.CropMode;
import org.ivit.core.image.Interpolation;
import org.ivit.core.image.Preprocess;

/**
 * The picture transform of a Hugging Face folder, from {@code preprocessor_config.json}. Its image
 * processors resize both sides where {@code size} has {@code height} and {@code width} or is one
 * number, and the shorter one where it is {@code shortest_edge}; DeiT's then cuts {@code crop_size}
 * from the centre. What a key asks for is done, or refused by the key's name.
 */
final class HuggingFacePreprocessor {
  private static final String FILE = "preprocessor_config.json";
  private static final String SHORTEST = "shortest_edge";

  /** Types whose processors cut the centre unless told otherwise. */
  private static final Set<String> CROPPING =
      Set.of("deit", "clip", "dinov2", "dinov2_with_registers", "beit");

  /** Types to whose processors a number is the length of the shorter side. */
  private static final Set<String> SHORTEST_FIRST =
      Set.of("clip", "dinov2", "dinov2_with_registers");

  private static final int BILINEAR = 2;
  private static final int BICUBIC = 3;

  /** Of a channel's 256 values, as processors rescale them. */
  private static final double RESCALE = 1 / 255.0;

  private static final double SAME = 1e-9;

  private final JsonFile config;
  private final String modelType;
  private final int image;
  private final Preprocess usual;

  private HuggingFacePreprocessor(JsonFile config, String modelType, int image) {
    this.config = config;
    this.modelType = modelType;
    this.image = image;
    this.usual = usual(modelType, image);
  }

  /**
   * Reads the transform.
   *
   * @param folder may be without the file: then the transform is the one that models of this type
   *     are published with, which is said
   * @param modelType of {@code config.json}
   * @param image height and width of the model's pictures
   * @throws org.ivit.core.InputException naming the key whose value cannot be honoured
   */
  static Preprocess read(Path folder, String modelType, int image, Consumer<String> say) {
    Path file = folder.resolve(FILE);
    if (!Files.exists(file)) {
      Preprocess usual = usual(modelType, image);
      say.accept(
          "%s: no such file: pictures are prepared as is usual for %s: %s"
              .formatted(file, modelType, usual));
      return usual;
    }
    return new HuggingFacePreprocessor(JsonFile.read(file), modelType, image).read();
  }

  /**
   * The side of the pictures that the file's transform cuts, for models of positions that follow
   * it.
   *
   * @param otherwise where there is no file, or it does not say
   */
  static int side(Path folder, int otherwise) {
    Path file = folder.resolve(FILE);
    if (!Files.exists(file)) {
      return otherwise;
    }
    JsonFile config = JsonFile.read(file);
    HuggingFacePreprocessor reader = new HuggingFacePreprocessor(config, "", otherwise);
    boolean cropped = config.flag("do_center_crop", true) && config.has("crop_size");
    String key = cropped ? "crop_size" : "size";
    return config.has(key) ? reader.side(key, config.node().get(key), !cropped) : otherwise;
  }

  private static Preprocess usual(String modelType, int image) {
    Preprocess imagenet = Preprocess.imagenet(image, image);
    Preprocess half = Preprocess.half(image, image);
    return switch (modelType) {
      case "deit" -> Preprocess.imagenet(256 * image / 224, image).withCropMode(CropMode.SQUASH);
      case "swin" -> imagenet.withCropMode(CropMode.SQUASH);
      case "clip" -> PretrainedPreprocess.clip(image, image);
      case "siglip" -> half.withCropMode(CropMode.SQUASH);
      case "dinov2", "dinov2_with_registers" -> Preprocess.imagenet(256 * image / 224, image);
      case "beit" -> Preprocess.half(256 * image / 224, image).withCropMode(CropMode.SQUASH);
      case "vit_mae", "dinov3_vit" ->
          new Preprocess(
              image,
              image,
              Interpolation.BILINEAR,
              CropMode.SQUASH,
              imagenet.mean(),
              imagenet.std());
      default ->
          new Preprocess(
              image, image, Interpolation.BILINEAR, CropMode.SQUASH, half.mean(), half.std());
    };
  }

  private Preprocess read() {
    if (!config.flag("do_resize", true)) {
      throw config.wrong("do_resize", "true: pictures of any size shall be answered");
    }
    if (config.flag("do_pad", false)) {
      throw config.wrong("do_pad", "false");
    }
    if (config.node().has("crop_pct")) {
      throw config.wrong("crop_pct", "no such key, as for vit, deit and swin");
    }
    boolean cropped = config.flag("do_center_crop", CROPPING.contains(modelType));
    CropMode mode = mode();
    int resize = resize();
    if (!cropped && (mode == CropMode.CENTER || resize != image)) {
      throw config.wrong(
          "size",
          "height and width of %d, the config's image_size, without do_center_crop"
              .formatted(image));
    }
    if (cropped && config.node().has("crop_size")) {
      requireCrop();
    }
    float[] mean =
        config.flag("do_normalize", true) ? statistic("image_mean", usual.mean()) : new float[3];
    float[] std =
        config.flag("do_normalize", true)
            ? statistic("image_std", usual.std())
            : new float[] {1, 1, 1};
    return rescaled(new Preprocess(resize, image, interpolation(), mode, mean, std));
  }

  private Interpolation interpolation() {
    if (!config.node().has("resample")) {
      return usual.interpolation();
    }
    return switch (config.integer("resample")) {
      case BILINEAR -> Interpolation.BILINEAR;
      case BICUBIC -> Interpolation.BICUBIC;
      default -> throw config.wrong("resample", "2, bilinear, or 3, bicubic");
    };
  }

  private float[] statistic(String key, float[] usual) {
    return config.node().has(key) ? config.three(key) : usual;
  }

  private CropMode mode() {
    JsonNode size = config.node().path("size");
    boolean shortest =
        size.isObject()
            ? size.has(SHORTEST)
            : !config.flag("default_to_square", !SHORTEST_FIRST.contains(modelType))
                && size.isNumber();
    return shortest ? CropMode.CENTER : CropMode.SQUASH;
  }

  /**
   * A number, {@code [height, width]}, {@code {"height", "width"}} or {@code {"shortest_edge"}}.
   */
  private int resize() {
    JsonNode size = config.node().get("size");
    if (size == null) {
      return usual.resize().side();
    }
    return side("size", size, true);
  }

  private void requireCrop() {
    int crop = side("crop_size", config.node().get("crop_size"), false);
    if (crop != image) {
      throw config.wrong("crop_size", image + ", the config's image_size");
    }
  }

  private int side(String key, JsonNode size, boolean shortest) {
    JsonNode height = size;
    JsonNode width = size;
    if (size.isArray() && size.size() == 2) {
      height = size.get(0);
      width = size.get(1);
    } else if (size.isObject() && shortest && size.has(SHORTEST)) {
      height = size.path(SHORTEST);
      width = height;
    } else if (size.isObject()) {
      height = size.path("height");
      width = size.path("width");
    }
    if (!height.isInt() || !width.isInt()) {
      throw config.wrong(key, "a length in pixels");
    }
    if (height.intValue() != width.intValue()) {
      throw config.wrong(key, "height and width of the same length");
    }
    return height.intValue();
  }

  /**
   * Another factor than 1/255, or none, is another mean and deviation of values that are divided by
   * 255.
   */
  private Preprocess rescaled(Preprocess read) {
    double factor = 1;
    if (config.flag("do_rescale", true)) {
      factor = config.node().has("rescale_factor") ? config.real("rescale_factor") : RESCALE;
    }
    if (!(factor > 0)) {
      throw config.wrong("rescale_factor", "a positive number");
    }
    if (Math.abs(factor / RESCALE - 1) < SAME) {
      return read;
    }
    float[] mean = read.mean();
    float[] std = read.std();
    for (int c = 0; c < mean.length; c++) {
      mean[c] = (float) (mean[c] * RESCALE / factor);
      std[c] = (float) (std[c] * RESCALE / factor);
    }
    return new Preprocess(
        read.resize(), read.crop(), read.interpolation(), read.cropMode(), mean, std);
  }
}
