package org.ivit.train.recipe;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;

/**
 * A set of pictures. In YAML a path, or a map with these keys.
 *
 * @param path an ImageFolder, a flat folder, a ZIP file, CIFAR-10's binary batches, Parquet files,
 *     or a URI of Hadoop's; null for procedural ones
 * @param procedural what to draw instead of reading, or null
 * @param labels the label file of a flat folder, or null
 * @param every with {@code n > 0}, only pictures n·i of the sorted list
 * @param exceptEvery with {@code n > 0}, all pictures but n·i of the sorted list
 * @param limit at most so many pictures, spread evenly over the list; 0 for all
 * @param repeats in training, how often an epoch shows a picture, in a row and each time
 *     transformed anew (repeated augmentation, Hoffer et al. 2020); an epoch keeps its length, so
 *     it shows one in so many of the pictures
 */
public record Pictures(
    String path,
    Procedural procedural,
    Path labels,
    int every,
    int exceptEvery,
    int limit,
    int repeats) {

  private static final int MOST_REPEATS = 1000;

  /**
   * A procedural set.
   *
   * @param pictures how many
   * @param size side in pixels
   * @param seed of the set; sets of different seeds share no picture
   */
  public record Procedural(int pictures, int size, long seed) {}

  static Pictures read(Section parent, String key, boolean required) {
    JsonNode value = parent.get(key);
    String expected = "a path, or a map with path or procedural";
    if (value == null || parent.isText(key, "none")) {
      if (required) {
        throw parent.bad(key, expected);
      }
      return null;
    }
    if (value.isTextual()) {
      return new Pictures(parent.location(key), null, null, 0, 0, 0, 1);
    }
    if (!value.isObject()) {
      throw parent.bad(key, expected);
    }
    Section section = parent.section(key);
    String path = section.location("path");
    Procedural procedural = null;
    if (section.has("procedural")) {
      Section p = section.section("procedural");
      procedural =
          new Procedural(
              p.integer("pictures", 0, 1, Integer.MAX_VALUE),
              p.integer("size", 32, 8, 4096),
              p.integer("seed", 0L, 0L, Long.MAX_VALUE));
      p.end();
    }
    if ((path == null) == (procedural == null)) {
      throw section.bad("path", "a path or procedural, one of them");
    }
    Pictures pictures =
        new Pictures(
            path,
            procedural,
            section.path("labels"),
            section.integer("every", 0, 0, Integer.MAX_VALUE),
            section.integer("exceptEvery", 0, 0, Integer.MAX_VALUE),
            section.integer("limit", 0, 0, Integer.MAX_VALUE),
            section.integer("repeats", 1, 1, key.equals("train") ? MOST_REPEATS : 1));
    section.end();
    return pictures;
  }
}
