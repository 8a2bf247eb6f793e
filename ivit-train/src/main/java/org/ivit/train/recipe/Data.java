package org.ivit.train.recipe;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.ivit.core.Size;
import org.ivit.core.image.CropMode;
import org.ivit.core.image.Interpolation;
import org.ivit.core.image.Preprocess;

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
   * <p>By default that of the weights where they are a Hugging Face folder or a run, or else what
   * is usual for the architecture.
   *
   * @param resize short side after the resize, or both, in pixels, before the centre crop to the
   *     network's size; for pictures that are not square a list of height and width; 0: what is
   *     usual for that size, or with {@code cropMode: squash} the network's size
   * @param interpolation filter of the resize
   * @param cropMode which sides are resized
   * @param mean of the pixels in [0, 1], by channel
   * @param std of the pixels in [0, 1], by channel
   */
  public record Preprocessing(
      Size resize,
      Interpolation interpolation,
      CropMode cropMode,
      List<Double> mean,
      List<Double> std) {
    /** Stands in where nothing of it matters. */
    static final Preprocessing PLAIN = of(Preprocess.half(1, 1), Size.of(1));

    /** Of a transform; the resize of other picture sizes is of no use. */
    static Preprocessing of(Preprocess transform, Size image) {
      boolean same = transform.crop().equals(image) && !transform.resize().equals(image);
      return new Preprocessing(
          same ? transform.resize() : Size.of(0),
          transform.interpolation(),
          transform.cropMode(),
          decimals(transform.mean()),
          decimals(transform.std()));
    }

    /** The shortest decimals that stand for the numbers. */
    private static List<Double> decimals(float[] values) {
      List<Double> decimals = new ArrayList<>();
      for (float value : values) {
        decimals.add(Double.parseDouble(Float.toString(value)));
      }
      return decimals;
    }

    static Preprocessing read(Section section, Supplier<Preprocessing> usual) {
      boolean complete =
          Stream.of("resize", "interpolation", "cropMode", "mean", "std").allMatch(section::has);
      Preprocessing given = complete ? PLAIN : usual.get();
      Preprocessing preprocessing =
          new Preprocessing(
              section.size("resize", given.resize, 0, 65536),
              section.choice("interpolation", given.interpolation, Interpolation.class),
              section.choice("cropMode", given.cropMode, CropMode.class),
              section.numbers("mean", given.mean, 3, -100, 100),
              section.numbers("std", given.std, 3, 1e-6, 100));
      section.end();
      return preprocessing;
    }
  }

  static Data read(Section section, boolean trains, Supplier<Preprocessing> usual) {
    Data data =
        new Data(
            Pictures.read(section, "train", trains),
            Pictures.read(section, "validation", false),
            section.path("classes"),
            section.integer("validationInterval", 1, 1, Integer.MAX_VALUE),
            section.choice("onCorrupt", OnCorrupt.SKIP, OnCorrupt.class),
            Preprocessing.read(section.section("preprocessing"), usual));
    section.end();
    return data;
  }
}
