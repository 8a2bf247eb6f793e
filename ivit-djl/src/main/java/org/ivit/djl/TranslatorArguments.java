package org.ivit.djl;

import ai.djl.Model;
import ai.djl.modality.cv.Image;
import java.util.LinkedHashMap;
import java.util.Map;
import org.ivit.core.InputException;
import org.ivit.core.Size;
import org.ivit.core.image.Interpolation;
import org.ivit.core.image.Preprocess;

/**
 * What a checkpoint says of its pictures in the words of DJL's own translators, such as {@link
 * ai.djl.modality.cv.translator.ImageClassificationTranslator#builder(Map)} and {@link
 * ai.djl.modality.cv.translator.ImageFeatureExtractor#builder(Map)}.
 *
 * <p>DJL's resize is not quite the model's: pixels are rounded towards zero, where Pillow rounds to
 * the nearest. {@link IvitTranslatorFactory} has the model's own.
 */
public final class TranslatorArguments {
  private TranslatorArguments() {}

  /**
   * The arguments for a model.
   *
   * @param model loaded by this engine
   * @return {@code width}, {@code height}, {@code resizeShort} or {@code resize}, {@code
   *     centerCrop}, {@code normalize} and {@code applySoftmax}
   * @throws InputException if the model is another engine's, or if its resize covers a rectangle
   *     that is no square, which DJL has no word for
   */
  public static Map<String, Object> of(Model model) {
    return of(IvitBlock.of(model).checkpoint().preprocess());
  }

  static Map<String, Object> of(Preprocess preprocess) {
    Size resize = preprocess.resize();
    Image.Interpolation interpolation =
        preprocess.interpolation() == Interpolation.BICUBIC
            ? Image.Interpolation.BICUBIC
            : Image.Interpolation.BILINEAR;
    Map<String, Object> arguments = new LinkedHashMap<>();
    arguments.put("width", preprocess.crop().width());
    arguments.put("height", preprocess.crop().height());
    switch (preprocess.cropMode()) {
      case SQUASH ->
          arguments.put(
              "resize", "%d,%d,%s".formatted(resize.width(), resize.height(), interpolation));
      case CENTER -> {
        if (resize.width() != resize.height()) {
          throw new InputException(
              "preprocess.resize: found %s, expected a square for DJL's own translators"
                  .formatted(resize));
        }
        arguments.put("resizeShort", "%d,-1,%s".formatted(resize.width(), interpolation));
      }
    }
    arguments.put("centerCrop", true);
    arguments.put("normalize", numbers(preprocess.mean()) + "," + numbers(preprocess.std()));
    arguments.put("applySoftmax", true);
    return arguments;
  }

  private static String numbers(float[] values) {
    return values[0] + "," + values[1] + "," + values[2];
  }
}
