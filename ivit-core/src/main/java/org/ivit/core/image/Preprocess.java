package org.ivit.core.image;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Arrays;
import java.util.Iterator;
import java.util.Objects;
import java.util.Set;
import org.ivit.core.InputException;
import org.ivit.core.Size;

/**
 * How a model wants its pictures: resize, crop, normalisation. Part of every checkpoint.
 *
 * @param resize size in pixels that a picture is resized to, sides of at least 1: so that it just
 *     covers that (of a square: its shorter side has that length), or exactly
 * @param crop size in pixels of what is cut from the centre, the model's picture size
 * @param interpolation filter of the resize
 * @param cropMode whether the resize keeps the shape
 * @param mean three means of channel values in 0…1, red first
 * @param std three positive standard deviations, red first
 */
@SuppressWarnings("ArrayRecordComponent")
public record Preprocess(
    Size resize,
    Size crop,
    Interpolation interpolation,
    CropMode cropMode,
    float[] mean,
    float[] std) {
  private static final String CROP_MODE = "crop_mode";
  private static final Set<String> KEYS =
      Set.of("resize", "crop", "interpolation", CROP_MODE, "mean", "std");

  /**
   * Checks and copies.
   *
   * @throws InputException if a size is below 1, or mean and std are not three usable numbers
   */
  public Preprocess {
    if (resize.shorter() < 1) {
      throw new InputException("preprocess.resize: found " + resize + ", expected at least 1");
    }
    if (crop.shorter() < 1) {
      throw new InputException("preprocess.crop: found " + crop + ", expected at least 1");
    }
    if (interpolation == null) {
      throw new InputException("preprocess.interpolation: found nothing, expected a filter");
    }
    Objects.requireNonNull(cropMode, "cropMode");
    mean = checked("mean", mean);
    std = checked("std", std);
    for (float value : std) {
      if (value <= 0) {
        throw new InputException(
            "preprocess.std: found " + Arrays.toString(std) + ", expected positive numbers");
      }
    }
  }

  /** The shorter side is resized, a square cut; parameters as those of the record. */
  public Preprocess(int resize, int crop, Interpolation interpolation, float[] mean, float[] std) {
    this(resize, crop, interpolation, CropMode.CENTER, mean, std);
  }

  /** Squares; parameters as those of the record. */
  public Preprocess(
      int resize,
      int crop,
      Interpolation interpolation,
      CropMode cropMode,
      float[] mean,
      float[] std) {
    this(Size.of(resize), Size.of(crop), interpolation, cropMode, mean, std);
  }

  private static float[] checked(String key, float[] values) {
    boolean good = values != null && values.length == 3;
    for (int i = 0; good && i < 3; i++) {
      good = Float.isFinite(values[i]);
    }
    if (!good) {
      throw new InputException(
          "preprocess." + key + ": found " + Arrays.toString(values) + ", expected three numbers");
    }
    return values.clone();
  }

  /** Mean and std ½: timm's {@code augreg} weights and the pictures made here. */
  public static Preprocess half(int resize, int crop) {
    return half(Size.of(resize), Size.of(crop));
  }

  /** Mean and std ½, for pictures of any shape. */
  public static Preprocess half(Size resize, Size crop) {
    float[] half = {0.5f, 0.5f, 0.5f};
    return new Preprocess(resize, crop, Interpolation.BICUBIC, CropMode.CENTER, half, half);
  }

  /** ImageNet's mean and std, as most models have them. */
  public static Preprocess imagenet(int resize, int crop) {
    return imagenet(Size.of(resize), Size.of(crop));
  }

  /** ImageNet's mean and std, for pictures of any shape. */
  public static Preprocess imagenet(Size resize, Size crop) {
    float[] mean = {0.485f, 0.456f, 0.406f};
    float[] std = {0.229f, 0.224f, 0.225f};
    return new Preprocess(resize, crop, Interpolation.BICUBIC, CropMode.CENTER, mean, std);
  }

  /** The same with other sides resized. */
  public Preprocess withCropMode(CropMode mode) {
    return new Preprocess(resize, crop, interpolation, mode, mean, std);
  }

  /** A copy of the three means. */
  @Override
  public float[] mean() {
    return mean.clone();
  }

  /** A copy of the three standard deviations. */
  @Override
  public float[] std() {
    return std.clone();
  }

  /**
   * {@code {"resize":248,"crop":224,"interpolation":"bicubic","mean":[…],"std":[…]}}; {@code
   * "crop_mode":"squash"} only where both sides are resized, and a list of height and width only
   * for what is no square, so that files of before stay as they are.
   */
  public ObjectNode toJson() {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.set("resize", resize.toJson());
    node.set("crop", crop.toJson());
    node.put("interpolation", interpolation.key());
    if (cropMode != CropMode.CENTER) {
      node.put(CROP_MODE, cropMode.key());
    }
    ArrayNode means = node.putArray("mean");
    ArrayNode deviations = node.putArray("std");
    for (int c = 0; c < 3; c++) {
      means.add(mean[c]);
      deviations.add(std[c]);
    }
    return node;
  }

  /**
   * Reads what {@link #toJson} writes.
   *
   * @throws InputException naming the key that is missing, unknown or of the wrong kind
   */
  public static Preprocess fromJson(JsonNode node) {
    if (node == null || !node.isObject()) {
      throw new InputException("preprocess: found " + node + ", expected an object");
    }
    for (Iterator<String> names = node.fieldNames(); names.hasNext(); ) {
      String name = names.next();
      if (!KEYS.contains(name)) {
        throw new InputException("preprocess." + name + ": unknown key, expected one of " + KEYS);
      }
    }
    JsonNode interpolation = node.get("interpolation");
    if (interpolation == null || !interpolation.isTextual()) {
      throw new InputException(
          "preprocess.interpolation: found " + interpolation + ", expected a name");
    }
    JsonNode mode = node.get(CROP_MODE);
    if (mode != null && !mode.isTextual()) {
      throw new InputException("preprocess.crop_mode: found " + mode + ", expected a name");
    }
    return new Preprocess(
        size(node, "resize"),
        size(node, "crop"),
        Interpolation.of(interpolation.textValue()),
        mode == null ? CropMode.CENTER : CropMode.of(mode.textValue()),
        numbers(node, "mean"),
        numbers(node, "std"));
  }

  private static Size size(JsonNode node, String key) {
    JsonNode value = node.get(key);
    if (value == null || !Size.is(value)) {
      throw new InputException(
          "preprocess." + key + ": found " + value + ", expected an integer, or height and width");
    }
    return Size.read(value);
  }

  private static float[] numbers(JsonNode node, String key) {
    JsonNode value = node.get(key);
    boolean good = value != null && value.isArray() && value.size() == 3;
    float[] numbers = new float[3];
    for (int c = 0; good && c < 3; c++) {
      good = value.get(c).isNumber();
      numbers[c] = value.get(c).floatValue();
    }
    if (!good) {
      throw new InputException(
          "preprocess." + key + ": found " + value + ", expected three numbers");
    }
    return numbers;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Preprocess that
        && resize.equals(that.resize)
        && crop.equals(that.crop)
        && interpolation == that.interpolation
        && cropMode == that.cropMode
        && Arrays.equals(mean, that.mean)
        && Arrays.equals(std, that.std);
  }

  @Override
  public int hashCode() {
    int hash = 31 * (31 * resize.hashCode() + crop.hashCode()) + interpolation.key().hashCode();
    hash = 31 * hash + cropMode.key().hashCode();
    return 31 * (31 * hash + Arrays.hashCode(mean)) + Arrays.hashCode(std);
  }

  @Override
  public String toString() {
    return toJson().toString();
  }
}
