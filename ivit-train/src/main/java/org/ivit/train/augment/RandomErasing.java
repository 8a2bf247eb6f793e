package org.ivit.train.augment;

import java.util.ArrayList;
import java.util.List;
import org.ivit.train.recipe.Augmentation.Fill;

/**
 * timm's {@code RandomErasing} of normalised pictures.
 *
 * @param probability that a picture is hit
 * @param mode what a rectangle is filled with
 * @param minCount fewest rectangles a picture
 * @param maxCount most rectangles a picture; their number is uniform between both
 * @param minArea smallest share of the area, over all rectangles
 * @param maxArea largest share of the area
 * @param minAspect smallest height over width; the largest is its inverse
 */
record RandomErasing(
    double probability,
    Fill mode,
    int minCount,
    int maxCount,
    double minArea,
    double maxArea,
    double minAspect) {
  private static final int ATTEMPTS = 10;

  /** With timm's areas and aspects. */
  RandomErasing(double probability, Fill mode, int minCount, int maxCount) {
    this(probability, mode, minCount, maxCount, 0.02, 1.0 / 3, 0.3);
  }

  /** Overwrites rectangles of {@code picture}, [3][height][width]. */
  void apply(float[] picture, int height, int width, KeyedRandom random) {
    plan(height, width, random).forEach(erasure -> erasure.apply(picture, height, width));
  }

  /** Draws the rectangles of a picture, and what they are filled with. */
  List<Erasure> plan(int height, int width, KeyedRandom random) {
    if (!random.chance(probability)) {
      return List.of();
    }
    List<Erasure> plan = new ArrayList<>();
    int rectangles = minCount + random.nextInt(maxCount - minCount + 1);
    double limit = StrictMath.log(1 / minAspect);
    for (int i = 0; i < rectangles; i++) {
      for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        double area = random.uniform(minArea, maxArea) * height * width / rectangles;
        double aspect = StrictMath.exp(random.uniform(-limit, limit));
        int h = (int) Math.rint(Math.sqrt(area * aspect));
        int w = (int) Math.rint(Math.sqrt(area / aspect));
        if (h < height && w < width) {
          int top = random.nextInt(height - h + 1);
          int left = random.nextInt(width - w + 1);
          plan.add(new Erasure(top, left, h, w, values(h * w, random)));
          break;
        }
      }
    }
    return plan;
  }

  private float[] values(int pixels, KeyedRandom random) {
    float[] values = new float[mode == Fill.PIXEL ? 3 * pixels : 3];
    if (mode != Fill.CONST) {
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) random.nextGaussian();
      }
    }
    return values;
  }
}
