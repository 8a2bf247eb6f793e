package org.ivit.core.testing;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import org.ivit.core.Size;
import org.ivit.core.architecture.ActivationSpec;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.MlpForm;
import org.ivit.core.architecture.Node;
import org.ivit.core.architecture.Positions;
import org.ivit.core.architecture.Rotary;
import org.ivit.core.arithmetic.Activation;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.SoftmaxForm;
import org.ivit.core.engine.reference.ReferenceEngine;
import org.ivit.core.family.Swin;
import org.ivit.core.family.Vit;
import org.ivit.core.family.VitOptions;
import org.ivit.core.family.VitOptions.Pool;
import org.ivit.core.family.VitOptions.RotaryOption;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.scheme.Scheme;

/** Small models of seeded random sizes with all options of the families, and schemes for them. */
public final class RandomFamilies {
  private static final double[] EPSILONS = {1e-6, 1e-3, 0.5};

  private RandomFamilies() {}

  /**
   * A graph and what it is run on.
   *
   * @param graph as observed, or of forged constants
   * @param codes of pictures, the second without variance
   */
  @SuppressWarnings("ArrayRecordComponent")
  public record Case(IntegerGraph graph, byte[] codes) {
    /**
     * @param architecture of {@link #vit} or {@link #swin}
     * @param narrow whether probabilities have 8 bits where both widths do
     * @param epsilon whether norms add one
     * @param pictures at least two
     */
    public static Case of(
        Architecture architecture,
        GeluForm gelu,
        SoftmaxForm softmax,
        boolean narrow,
        boolean epsilon,
        int pictures,
        Random random) {
      Scheme scheme = scheme(architecture, gelu, softmax, narrow, epsilon, random);
      IntegerGraph observed = ObservedModel.provedGraph(architecture, scheme, random);
      boolean forged = random.nextInt(3) == 0;
      int pixels = architecture.pixels();
      byte[] codes = new byte[pictures * pixels];
      random.nextBytes(codes);
      // Without variance all that a norm divides by is its epsilon.
      Arrays.fill(codes, pixels, 2 * pixels, (byte) 1);
      return new Case(forged ? new ForgedGraphs(random.nextLong()).of(observed) : observed, codes);
    }

    /**
     * The same shapes with forged constants, weights mostly of fewer than 8 bits.
     *
     * @param seed same seed, same integers
     */
    public Case withFewerBits(long seed) {
      return new Case(ForgedGraphs.ofFewerBits(seed).of(graph), codes);
    }

    /** What the reference engine answers. */
    public int[] expected() {
      try (ReferenceEngine reference = new ReferenceEngine(graph)) {
        return reference.logits(codes, codes.length / graph.architecture().pixels());
      }
    }
  }

  /**
   * A ViT of at most 7 × 7 patches and 96 channels, its picture seldom a square.
   *
   * @param seed same seed, same model
   */
  public static Architecture vit(long seed) {
    Random random = new Random(seed);
    int patch = 1 + random.nextInt(4);
    int heads = 1 + random.nextInt(3);
    VitOptions options = options(random);
    boolean both = options.pool() == Pool.TOKEN_AVG;
    boolean features =
        options.pool() == Pool.MAP || (!options.distilled() && !both && random.nextBoolean());
    int classes = features ? 0 : 1 + random.nextInt(20);
    return new Vit(
            "random " + options,
            new Size(patch * (1 + random.nextInt(7)), patch * (1 + random.nextInt(7))),
            patch,
            heads * (1 + random.nextInt(32)),
            1 + random.nextInt(2),
            heads,
            1 + random.nextInt(90),
            classes,
            EPSILONS[random.nextInt(EPSILONS.length)],
            classes == 0 || both ? options : projecting(options, random.nextBoolean()))
        .architecture();
  }

  private static VitOptions options(Random random) {
    Pool pool = any(random, Pool.values());
    boolean classToken = pool == Pool.TOKEN || pool == Pool.TOKEN_AVG || random.nextBoolean();
    boolean distilled = pool == Pool.TOKEN && random.nextInt(4) == 0;
    int registers = random.nextInt(3);
    return new VitOptions(
        classToken,
        distilled,
        registers,
        any(random, Positions.values()),
        classToken && !distilled && registers == 0,
        null,
        random.nextBoolean(),
        any(random, Activation.values()),
        MlpForm.PLAIN,
        pool,
        pool == Pool.AVG && random.nextBoolean(),
        false);
  }

  private static <T> T any(Random random, T[] values) {
    return values[random.nextInt(values.length)];
  }

  private static VitOptions projecting(VitOptions o, boolean projection) {
    return new VitOptions(
        o.classToken(),
        o.distilled(),
        o.registers(),
        o.positions(),
        o.relativePositions(),
        o.rotary(),
        o.preNorm(),
        o.activation(),
        o.mlp(),
        o.pool(),
        o.fcNorm(),
        projection && !o.distilled());
  }

  /**
   * A ViT with rotary positions, a gated MLP or both, of at most 8 × 8 patches and 144 channels.
   *
   * @param seed same seed, same model
   */
  public static Architecture rotaryOrGated(long seed) {
    Random random = new Random(seed);
    int patch = 1 + random.nextInt(4);
    int heads = 1 + random.nextInt(3);
    VitOptions options = rotaryOrGatedOptions(random);
    boolean features =
        options.pool() == Pool.MAP || (options.pool() != Pool.TOKEN_AVG && random.nextBoolean());
    int classes = features ? 0 : 1 + random.nextInt(20);
    return new Vit(
            "random " + options,
            new Size(patch * (1 + random.nextInt(8)), patch * (1 + random.nextInt(8))),
            patch,
            heads * 4 * (1 + random.nextInt(12)),
            1 + random.nextInt(2),
            heads,
            3 + random.nextInt(128),
            classes,
            EPSILONS[random.nextInt(EPSILONS.length)],
            options)
        .architecture();
  }

  private static VitOptions rotaryOrGatedOptions(Random random) {
    Pool pool = any(random, Pool.values());
    MlpForm mlp = pool == Pool.MAP ? MlpForm.PLAIN : any(random, MlpForm.values());
    RotaryOption rotary = null;
    if (mlp == MlpForm.PLAIN || random.nextInt(4) > 0) {
      Rotary.Kind kind = any(random, Rotary.Kind.values());
      boolean reference = kind == Rotary.Kind.CAT && random.nextBoolean();
      Size grid = new Size(1 + random.nextInt(9), 1 + random.nextInt(9));
      rotary = new RotaryOption(kind, reference ? grid : null);
    }
    return new VitOptions(
        pool == Pool.TOKEN || pool == Pool.TOKEN_AVG || random.nextBoolean(),
        false,
        random.nextInt(5),
        any(random, Positions.values()),
        false,
        rotary,
        random.nextInt(4) == 0,
        Activation.GELU,
        mlp,
        pool,
        pool == Pool.AVG && random.nextBoolean(),
        false);
  }

  /**
   * A Swin of at most 2 stages, its picture seldom a square, whose answer may be a feature.
   *
   * @param seed same seed, same model
   */
  public static Architecture swin(long seed) {
    Random random = new Random(seed);
    int stages = 1 + random.nextInt(2);
    int window = 2 + random.nextInt(4);
    int patch = 1 + random.nextInt(2);
    int heads = 1 + random.nextInt(3);
    List<Integer> depths = new ArrayList<>();
    List<Integer> headsOfStage = new ArrayList<>();
    for (int i = 0; i < stages; i++) {
      depths.add(1 + random.nextInt(2));
      headsOfStage.add(heads << i);
    }
    return new Swin(
            "random",
            new Size(patch * side(random, window, stages), patch * side(random, window, stages)),
            patch,
            window,
            heads * (1 + random.nextInt(6)),
            depths,
            headsOfStage,
            random.nextInt(3) * 4,
            EPSILONS[random.nextInt(EPSILONS.length)])
        .architecture();
  }

  /** Tokens along a side: windows of each stage, or one that is shorter than a window. */
  private static int side(Random random, int window, int stages) {
    int windows = random.nextInt(4);
    return (windows == 0 ? 1 : windows * window) << (stages - 1);
  }

  /**
   * A scheme of given forms, with outlier channels at some nodes of those that may have them.
   *
   * @param architecture whose nodes have them
   * @param narrow whether probabilities have 8 bits where both widths do
   * @param epsilon whether norms add one
   */
  public static Scheme scheme(
      Architecture architecture,
      GeluForm gelu,
      SoftmaxForm softmax,
      boolean narrow,
      boolean epsilon,
      Random random) {
    TreeMap<String, OutlierChannels> sets = new TreeMap<>();
    if (random.nextBoolean()) {
      for (Node node : architecture.nodes().values()) {
        if (node.kind().mayHaveOutliers() && random.nextBoolean()) {
          sets.put(node.name(), OUTLIERS);
        }
      }
      for (ActivationSpec activation : architecture.activations()) {
        boolean kept = gelu.isErf() && activation.channels() > 2 && random.nextBoolean();
        for (Node node : List.of(activation.input(), activation.node())) {
          sets.remove(node.name());
          if (kept) {
            sets.put(node.name(), OUTLIERS);
          }
        }
      }
    }
    if (architecture.stem().dim() < 3) {
      sets.clear();
    }
    return ObservedModel.scheme(gelu, softmax, narrow, sets).withNormEpsilon(epsilon);
  }

  private static final OutlierChannels OUTLIERS = new OutlierChannels(new int[] {0, 1}, 3);
}
