package org.ivit.train.recipe;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.annotation.JsonSerialize;
import java.util.List;

/**
 * What happens to a training picture, with the strengths of timm.
 *
 * @param randomResizedCrop {@code none}: resize and centre crop as in evaluation
 * @param padding random crop out of the picture padded with so many zero pixels a side (CIFAR),
 *     only without randomResizedCrop
 * @param flip probability of a horizontal flip (timm's hflip)
 * @param randAugment random operations on the picture, or null for none
 * @param colorJitter strengths of brightness, contrast, saturation; by default timm's, none beside
 *     randAugment
 * @param mixup alpha of the beta distribution, 0 for none
 * @param cutmix alpha of the beta distribution, 0 for none
 * @param mixupProbability of mixing at all
 * @param mixupSwitchProbability of cutmix where both are on
 * @param mixupMode what draws of its own decide about
 * @param mixupOffEpoch from this epoch on nothing is mixed; 0 for never
 * @param labelSmoothing share of the label that is spread over all classes
 * @param randomErasing rectangles that are overwritten
 */
public record Augmentation(
    @JsonInclude(JsonInclude.Include.ALWAYS) @JsonSerialize(nullsUsing = Yaml.None.class)
        RandomResizedCrop randomResizedCrop,
    int padding,
    double flip,
    @JsonInclude(JsonInclude.Include.ALWAYS) @JsonSerialize(nullsUsing = Yaml.None.class)
        RandAugmentPolicy randAugment,
    ColorJitter colorJitter,
    double mixup,
    double cutmix,
    double mixupProbability,
    double mixupSwitchProbability,
    MixupMode mixupMode,
    int mixupOffEpoch,
    double labelSmoothing,
    RandomErasing randomErasing) {

  /**
   * A crop of random area and shape, resized.
   *
   * @param scale smallest and largest share of the area
   * @param ratio smallest and largest width over height
   */
  public record RandomResizedCrop(List<Double> scale, List<Double> ratio) {}

  /**
   * Factors are drawn from [max(0, 1−s), 1+s].
   *
   * @param brightness strength
   * @param contrast strength
   * @param saturation strength
   */
  public record ColorJitter(double brightness, double contrast, double saturation) {}

  /**
   * timm's random erasing.
   *
   * @param probability that a picture is hit, 0 for none
   * @param mode what the rectangle is filled with
   * @param count most rectangles a picture
   * @param minCount fewest rectangles a picture that is hit
   */
  public record RandomErasing(double probability, Fill mode, int count, int minCount) {}

  /** What has its own choice of mixup or cutmix, its own share and rectangle. */
  public enum MixupMode {
    /** The batch. */
    BATCH,
    /** Each picture with its partner, which gets the complement. */
    PAIR,
    /** Each picture. */
    ELEM
  }

  /** What an erased rectangle is filled with, after normalisation. */
  public enum Fill {
    /** Zeros. */
    CONST,
    /** One normal random colour. */
    RAND,
    /** A normal random value a pixel. */
    PIXEL
  }

  static Augmentation read(Section section) {
    RandomResizedCrop crop = null;
    if (!section.isText("randomResizedCrop", "none")) {
      Section c = section.section("randomResizedCrop");
      crop =
          new RandomResizedCrop(
              ordered(c, "scale", List.of(0.08, 1.0), 1e-4, 1),
              ordered(c, "ratio", List.of(0.75, 4.0 / 3), 0.01, 100));
      c.end();
    }
    RandAugmentPolicy randAugment = randAugment(section);
    JsonNode jitterValue = section.get("colorJitter");
    ColorJitter jitter;
    if (jitterValue != null && jitterValue.isObject()) {
      Section j = section.section("colorJitter");
      jitter =
          new ColorJitter(
              j.number("brightness", 0, 0, 10),
              j.number("contrast", 0, 0, 10),
              j.number("saturation", 0, 0, 10));
      j.end();
    } else {
      double strength = section.number("colorJitter", randAugment == null ? 0.4 : 0, 0, 10);
      jitter = new ColorJitter(strength, strength, strength);
    }
    JsonNode erasingValue = section.get("randomErasing");
    RandomErasing erasing;
    if (erasingValue != null && erasingValue.isObject()) {
      Section e = section.section("randomErasing");
      erasing =
          new RandomErasing(
              e.number("probability", 0.25, 0, 1),
              e.choice("mode", Fill.PIXEL, Fill.class),
              e.integer("count", 1, 1, 100),
              e.integer("minCount", 1, 1, 100));
      if (erasing.minCount() > erasing.count()) {
        throw e.bad("minCount", "at most count (" + erasing.count() + ")");
      }
      e.end();
    } else {
      erasing = new RandomErasing(section.number("randomErasing", 0.25, 0, 1), Fill.PIXEL, 1, 1);
    }
    Augmentation augmentation =
        new Augmentation(
            crop,
            section.integer("padding", 0, 0, 1024),
            section.number("flip", 0.5, 0, 1),
            randAugment,
            jitter,
            section.number("mixup", 0, 0, 100),
            section.number("cutmix", 0, 0, 100),
            section.number("mixupProbability", 1, 0, 1),
            section.number("mixupSwitchProbability", 0.5, 0, 1),
            section.choice("mixupMode", MixupMode.BATCH, MixupMode.class),
            section.integer("mixupOffEpoch", 0, 0, 1_000_000),
            section.number("labelSmoothing", 0.1, 0, 0.999),
            erasing);
    if (crop != null && augmentation.padding() > 0) {
      throw section.bad("padding", "0, or randomResizedCrop: none beside it");
    }
    section.end();
    return augmentation;
  }

  private static RandAugmentPolicy randAugment(Section section) {
    if (!section.has("randAugment") || section.isText("randAugment", "none")) {
      return null;
    }
    String text = section.text("randAugment", null, RandAugmentPolicy.EXPECTED);
    try {
      return RandAugmentPolicy.parse(text);
    } catch (IllegalArgumentException e) {
      throw section.bad(
          "randAugment", RandAugmentPolicy.EXPECTED + ": cannot read " + e.getMessage());
    }
  }

  private static List<Double> ordered(
      Section section, String key, List<Double> fallback, double min, double max) {
    List<Double> pair = section.numbers(key, fallback, 2, min, max);
    if (pair.get(1) < pair.get(0)) {
      throw section.bad(key, "the smaller number first");
    }
    return pair;
  }
}
