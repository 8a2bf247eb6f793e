package org.ivit.core.engine.jni;

import java.util.List;
import java.util.Random;
import org.ivit.core.Size;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.MlpForm;
import org.ivit.core.architecture.Positions;
import org.ivit.core.arithmetic.Activation;
import org.ivit.core.family.Vit;
import org.ivit.core.family.VitOptions;
import org.ivit.core.family.VitOptions.Pool;

/** Small ViTs of seeded random sizes and options, of pictures that are no squares. */
final class RandomVit {
  private final Random random;

  private RandomVit(Random random) {
    this.random = random;
  }

  /**
   * A ViT of at most 10 × 10 patches, 2 blocks and 160 channels.
   *
   * @param seed same seed, same sizes
   */
  static Architecture of(long seed) {
    return new RandomVit(new Random(seed)).next();
  }

  private Architecture next() {
    int patch = upTo(5);
    int heads = upTo(4);
    VitOptions options = options();
    boolean features =
        options.pool() == Pool.MAP
            || (options.pool() != Pool.TOKEN_AVG && !options.projection() && flag());
    return new Vit(
            "random",
            new Size(patch * upTo(10), patch * upTo(10)),
            patch,
            heads * upTo(40),
            upTo(2),
            heads,
            upTo(150),
            features ? 0 : upTo(70),
            1e-6,
            options)
        .architecture();
  }

  private <T> T any(T[] all) {
    return List.of(all).get(random.nextInt(all.length));
  }

  private VitOptions options() {
    Pool pool = any(Pool.values());
    boolean relative = random.nextInt(3) == 0;
    boolean token = relative || pool == Pool.TOKEN || pool == Pool.TOKEN_AVG || flag();
    return new VitOptions(
        token,
        false,
        relative || flag() ? 0 : upTo(4),
        any(Positions.values()),
        relative,
        null,
        flag(),
        any(Activation.values()),
        MlpForm.PLAIN,
        pool,
        pool == Pool.AVG && flag(),
        pool != Pool.MAP && pool != Pool.TOKEN_AVG && random.nextInt(4) == 0);
  }

  private int upTo(int most) {
    return 1 + random.nextInt(most);
  }

  private boolean flag() {
    return random.nextBoolean();
  }
}
