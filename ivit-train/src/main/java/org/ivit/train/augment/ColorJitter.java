package org.ivit.train.augment;

import org.ivit.core.image.Rgb;

/**
 * torchvision's {@code ColorJitter} without hue, as timm uses it: brightness, contrast and
 * saturation in random order, each with a factor from [max(0, 1−s), 1+s].
 *
 * @param brightness strength s, 0 for none
 * @param contrast strength s, 0 for none
 * @param saturation strength s, 0 for none
 */
record ColorJitter(double brightness, double contrast, double saturation) {
  Rgb apply(Rgb picture, KeyedRandom random) {
    int[] order = random.permutation(3);
    float[] factor = {
      factor(brightness, random), factor(contrast, random), factor(saturation, random)
    };
    Rgb out = picture;
    for (int which : order) {
      if (factor[which] != 1) {
        out =
            switch (which) {
              case 0 -> Enhance.brightness(out, factor[0]);
              case 1 -> Enhance.contrast(out, factor[1]);
              default -> Enhance.color(out, factor[2]);
            };
      }
    }
    return out;
  }

  private static float factor(double strength, KeyedRandom random) {
    return (float) random.uniform(Math.max(0, 1 - strength), 1 + strength);
  }
}
