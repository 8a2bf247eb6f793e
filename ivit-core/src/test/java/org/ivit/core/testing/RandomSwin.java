package org.ivit.core.testing;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.family.Swin;

/** Small Swins of seeded random sizes, odd ones among them. */
public final class RandomSwin {
  private static final int MOST_STAGES = 3;

  private RandomSwin() {}

  /**
   * A Swin of at most 24 × 24 tokens, 3 stages and 72 channels.
   *
   * @param seed same seed, same sizes
   */
  public static Architecture of(long seed) {
    Random random = new Random(seed);
    int window = 1 + random.nextInt(6);
    int grid = window * (1 + random.nextInt(4));
    int patch = 1 + random.nextInt(3);
    int heads = 1 + random.nextInt(3);
    int headDim = 1 + random.nextInt(6);
    List<Integer> depthOfStage = new ArrayList<>();
    List<Integer> headsOfStage = new ArrayList<>();
    int resolution = grid;
    do {
      headsOfStage.add(random.nextBoolean() ? heads << depthOfStage.size() : heads);
      depthOfStage.add(1 + random.nextInt(3));
      resolution /= 2;
    } while (depthOfStage.size() < MOST_STAGES
        && grid == resolution << depthOfStage.size()
        && (resolution <= window || resolution % window == 0));
    return new Swin(
            "random",
            grid * patch,
            patch,
            window,
            heads * headDim,
            depthOfStage,
            headsOfStage,
            1 + random.nextInt(9),
            1e-6)
        .architecture();
  }
}
