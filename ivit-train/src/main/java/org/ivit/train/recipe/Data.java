package org.ivit.train.recipe;

import java.nio.file.Path;
import java.util.List;

/**
 * The pictures of a run.
 *
 * @param train training pictures; null where nothing trains and calibration has its own
 * @param validation validation pictures, or null for none
 * @param classes file that fixes the order of the classes, one a line, or null for sorted folders
 * @param validationInterval validate after every so many epochs (always after the last)
 * @param onCorrupt what a picture that cannot be decoded does
 * @param preprocessing the evaluation transform
 */
public record Data(
    Pictures train,
    Pictures validation,
    Path classes,
    int validationInterval,
    OnCorrupt onCorrupt,
    Preprocessing preprocessing) {

  /** What a picture that cannot be decoded does; it is named either way. */
  public enum OnCorrupt {
    /** The run goes on without it. */
    SKIP,
    /** The run stops. */
    FATAL
  }

  /**
   * The evaluation transform, as torchvision's.
   *
   * @param resize short side after the resize, in pixels, before the centre crop to the network's
   *     size; 0: the size over 0.9 rounded down, as timm does (248 for 224), or the size itself
   *     where that is 64 or less
   * @param mean of the pixels in [0, 1], by channel; by default ImageNet's for timm's {@code deit_}
   *     and {@code swin_} names and 0.5 for others
   * @param std of the pixels in [0, 1], by channel
   */
  public record Preprocessing(int resize, List<Double> mean, List<Double> std) {
    static Preprocessing read(Section section, boolean imagenetStatistics) {
      List<Double> half = List.of(0.5, 0.5, 0.5);
      Preprocessing preprocessing =
          new Preprocessing(
              section.integer("resize", 0, 0, 65536),
              section.numbers(
                  "mean", imagenetStatistics ? List.of(0.485, 0.456, 0.406) : half, 3, -100, 100),
              section.numbers(
                  "std", imagenetStatistics ? List.of(0.229, 0.224, 0.225) : half, 3, 1e-6, 100));
      section.end();
      return preprocessing;
    }
  }

  static Data read(Section section, boolean trains, boolean imagenetStatistics) {
    Data data =
        new Data(
            Pictures.read(section, "train", trains),
            Pictures.read(section, "validation", false),
            section.path("classes"),
            section.integer("validationInterval", 1, 1, Integer.MAX_VALUE),
            section.choice("onCorrupt", OnCorrupt.SKIP, OnCorrupt.class),
            Preprocessing.read(section.section("preprocessing"), imagenetStatistics));
    section.end();
    return data;
  }
}
