package org.ivit.export.cli.option;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.ivit.core.InputException;
import org.ivit.core.Size;
import org.ivit.core.image.CropMode;
import org.ivit.core.image.Interpolation;
import org.ivit.core.image.PreprocessChange;
import picocli.CommandLine.Option;

/** How pictures are prepared, where a model does not say it or says it otherwise. */
public final class TransformOptions {
  private static final Pattern SIZE = Pattern.compile("(\\d{1,5})(?:x(\\d{1,5}))?");

  @Option(
      names = "--resize",
      paramLabel = "N",
      description =
          "Resize pictures so that the shorter side has N pixels (or HxW, to cover that), before the"
              + " centre is cut; instead of the model's.")
  String resize;

  @Option(
      names = "--crop-mode",
      paramLabel = "MODE",
      description =
          "center: resizing keeps proportions; squash: both sides are resized, to the model's picture"
              + " size where --resize is not given; instead of the model's.")
  String cropMode;

  @Option(
      names = "--interpolation",
      paramLabel = "NAME",
      description = "Filter of the resizing: bicubic or bilinear; instead of the model's.")
  String interpolation;

  @Option(
      names = "--mean",
      paramLabel = "R,G,B",
      description = "Means of the channels in 0 to 1; instead of the model's.")
  String mean;

  @Option(
      names = "--std",
      paramLabel = "R,G,B",
      description = "Standard deviations of the channels in 0 to 1; instead of the model's.")
  String std;

  /**
   * What was given.
   *
   * @throws InputException if something of it cannot be read
   */
  public PreprocessChange change() {
    if (cropMode != null) {
      Checks.oneOf("--crop-mode", cropMode, CropMode.CENTER.key(), CropMode.SQUASH.key());
    }
    if (interpolation != null) {
      Checks.oneOf(
          "--interpolation",
          interpolation,
          Interpolation.BICUBIC.key(),
          Interpolation.BILINEAR.key());
    }
    return new PreprocessChange(
        resize == null ? null : size(resize),
        cropMode == null ? null : CropMode.of(cropMode),
        interpolation == null ? null : Interpolation.of(interpolation),
        numbers("--mean", mean, -100),
        numbers("--std", std, 1e-6f));
  }

  /**
   * The same as settings of a recipe, by key.
   *
   * @throws InputException as {@link #change}
   */
  public Map<String, String> settings() {
    PreprocessChange change = change();
    Map<String, Object> values = new LinkedHashMap<>();
    values.put("resize", change.resize() == null ? null : change.resize().toJson());
    if (change.resize() == null && change.cropMode() == CropMode.SQUASH) {
      values.put("resize", 0);
    }
    values.put("cropMode", cropMode);
    values.put("interpolation", interpolation);
    values.put("mean", change.mean());
    values.put("std", change.std());
    Map<String, String> settings = new LinkedHashMap<>();
    values.forEach(
        (key, value) -> {
          if (value != null) {
            settings.put("data.preprocessing." + key, value.toString());
          }
        });
    return settings;
  }

  private static Size size(String text) {
    Matcher matcher = SIZE.matcher(text);
    if (matcher.matches()) {
      int height = Integer.parseInt(matcher.group(1));
      int width = matcher.group(2) == null ? height : Integer.parseInt(matcher.group(2));
      if (height > 0 && width > 0) {
        return new Size(height, width);
      }
    }
    throw new InputException(
        "--resize: found '%s', expected pixels, such as 248 or 248x320".formatted(text));
  }

  private static List<Float> numbers(String option, String text, float least) {
    if (text == null) {
      return null;
    }
    List<Float> numbers = new ArrayList<>();
    try {
      for (String number : text.split(",", -1)) {
        numbers.add(Float.valueOf(number.strip()));
      }
    } catch (NumberFormatException e) {
      numbers.clear();
    }
    if (numbers.size() != 3 || !numbers.stream().allMatch(x -> x >= least && x <= 100)) {
      throw new InputException(
          "%s: found '%s', expected three numbers from %s to 100, such as 0.485,0.456,0.406"
              .formatted(option, text, least));
    }
    return numbers;
  }
}
