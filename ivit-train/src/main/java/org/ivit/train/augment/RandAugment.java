package org.ivit.train.augment;

import org.ivit.core.image.Interpolation;
import org.ivit.core.image.Rgb;
import org.ivit.train.recipe.RandAugmentPolicy;

/**
 * timm's {@code RandAugment} (Cubuk et al. 2020): a fixed number of operations, drawn with
 * replacement, each applied with a probability and a magnitude around the policy's.
 */
final class RandAugment {
  private static final RandAugmentOperation[] OPERATIONS = RandAugmentOperation.values();

  private final RandAugmentPolicy policy;
  private final RandAugmentOperation.Setting setting;

  /**
   * @param policy numbers and strengths
   * @param interpolation of operations that move pixels
   * @param fill colour of what comes from outside the picture, one value a channel
   */
  RandAugment(RandAugmentPolicy policy, Interpolation interpolation, int[] fill) {
    this.policy = policy;
    this.setting =
        new RandAugmentOperation.Setting(interpolation, fill.clone(), policy.increasing());
  }

  Rgb apply(Rgb picture, KeyedRandom random) {
    Rgb out = picture;
    for (int layer = 0; layer < policy.layers(); layer++) {
      RandAugmentOperation operation = OPERATIONS[random.nextInt(OPERATIONS.length)];
      if (random.chance(policy.probability())) {
        out = operation.apply(out, magnitude(random), setting, random);
      }
    }
    return out;
  }

  /** The magnitude of one operation, 0 to the policy's largest. */
  double magnitude(KeyedRandom random) {
    double magnitude = policy.magnitude();
    if (policy.uniform()) {
      magnitude = random.uniform(0, magnitude);
    } else if (policy.deviation() > 0) {
      magnitude += policy.deviation() * random.nextGaussian();
    }
    return Math.max(0, Math.min(policy.largest(), magnitude));
  }
}
