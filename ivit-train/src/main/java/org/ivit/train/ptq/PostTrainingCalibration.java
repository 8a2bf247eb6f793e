package org.ivit.train.ptq;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.calibration.NodeObserver;
import org.ivit.core.calibration.ObservingForward;
import org.ivit.core.calibration.PublishedObserver;
import org.ivit.core.engine.MatrixProducts;
import org.ivit.core.engine.portable.PortableMatrixProducts;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.graph.build.GraphBuilder;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.core.scheme.Range;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.observer.ObserverSet;
import org.ivit.train.ptq.bits.ChosenBits;
import org.ivit.train.ptq.bits.FileSize;
import org.ivit.train.recipe.OutlierChoice;
import org.ivit.train.recipe.Quantization;
import org.ivit.train.recipe.RangeSearch;
import org.ivit.train.recipe.WeightRounding;
import org.ivit.train.recipe.WeightRules;

/**
 * Finds outlier channels and ranges of a float model on some pictures: a first pass for the
 * channels where the recipe asks for it, one that sums second moments where weights are rounded by
 * them, one that samples rows where ranges are searched, and a last one for the (other) ranges. The
 * bounds of the model are proved before it answers. Where it chooses the bits of layers, rounding
 * and what follows is done for each model that is tried.
 */
public final class PostTrainingCalibration {
  /** Rows of a node that the search for ranges looks at. */
  private static final int SAMPLED_ROWS = 2048;

  private static final String SUMS = "second moments are summed";

  /** Batches that are in the network at once: each holds its activations. */
  private static final int MOST_BATCHES = 4;

  private final Architecture architecture;
  private final Quantization quantization;
  private final WorkerPool pool;

  /**
   * What calibration found.
   *
   * @param weights float parameters, equalized and rounded where the recipe asks for it
   * @param scheme forms, widths, outlier channels
   * @param ranges by full node name
   * @param searched nodes whose ranges were searched; those of the others were observed
   * @param bits the bits that were chosen; null where the recipe names them
   */
  public record Result(
      FloatWeights weights,
      Scheme scheme,
      SortedMap<String, Range> ranges,
      Set<String> searched,
      ChosenBits bits) {
    Result with(ChosenBits chosen) {
      return new Result(weights, scheme, ranges, searched, chosen);
    }
  }

  /** Hears of each part of the work; what it throws ends the work. */
  @FunctionalInterface
  public interface Progress {
    /**
     * A part is done. Called by one thread at a time, not always the same.
     *
     * @param stage what is under way, in words
     * @param done parts so far, over all stages: batches of passes, layers that were rounded, nodes
     *     that were searched
     * @param total parts of all stages; it rises where one more model is tried
     */
    void part(String stage, int done, int total);
  }

  /**
   * @param architecture sizes
   * @param quantization forms, outlier channels, observers
   * @param pool threads
   */
  public PostTrainingCalibration(
      Architecture architecture, Quantization quantization, WorkerPool pool) {
    this.architecture = architecture;
    this.quantization = quantization;
    this.pool = pool;
  }

  /**
   * Calibrates.
   *
   * @param weights float parameters by timm name
   * @param batches normalised pixels, [pictures][3][image][image] each
   * @param momentBatches the same, of the pictures that weights of fewer than 8 bits are rounded
   *     by; of no use without such weights
   * @param fileSize measures files where bits are chosen
   * @param progress hears of each part
   * @throws org.ivit.core.InputException if the model fails a bound: names the node; or if no bits
   *     of weights keep their budget
   */
  public Result run(
      FloatWeights weights,
      List<float[]> batches,
      List<float[]> momentBatches,
      FileSize fileSize,
      Progress progress) {
    WeightRules rules = quantization.weights();
    boolean search = quantization.outliers().mode() == OutlierChoice.Mode.AUTO;
    boolean free = weights.scales().isEmpty();
    boolean equalize = quantization.equalize() && free;
    boolean secondOrder = quantization.weightRounding() == WeightRounding.SECOND_ORDER && free;
    if (rules.fewer() && !free) {
      throw new InputException(
          "quantization.weights: weights of fewer than 8 bits are made of float weights, but these"
              + " bring frozen scales");
    }
    Scheme scheme =
        new Scheme(
            quantization.gelu(),
            quantization.softmax(),
            quantization.attentionBits(),
            given(quantization.outliers()),
            quantization.normEpsilon());
    BitSearch bits =
        rules.automatic()
            ? draft(new BitSearch(architecture, rules, fileSize), weights, scheme, batches.get(0))
            : null;
    WeightRoundingPass rounding = new WeightRoundingPass(architecture, rules);
    int first = (search ? 1 : 0) + (equalize ? 1 : 0) + (secondOrder && !rules.fewer() ? 1 : 0);
    int total =
        first * batches.size() + rangeParts(batches) + (secondOrder ? rounding.layers().size() : 0);
    if (rules.fewer()) {
      total += momentBatches.size();
    }
    if (bits != null) {
      total += bits.layers().size() + askParts(momentBatches);
    }
    Passes passes = new Passes(batches, new Parts(progress, total));
    FloatWeights used = weights;
    if (equalize) {
      ChannelMaxima maxima = new ChannelMaxima(new PublishedObserver());
      passes.run("channels are equalized", used, scheme, maxima);
      used = AttentionEqualization.apply(architecture, weights, maxima.largest());
      used = GatedEqualization.apply(architecture, used, maxima.largest());
    }
    if (search) {
      ChannelMaxima maxima = new ChannelMaxima(new PublishedObserver());
      passes.run("outlier channels are sought", used, scheme, maxima);
      Map<String, OutlierChannels> found =
          OutlierSearch.choose(architecture, maxima.largest(), quantization.gelu());
      scheme = scheme.withOutliers(found);
    }
    if (!secondOrder) {
      return ranged(used, scheme, passes).result();
    }
    if (!rules.fewer()) {
      SecondMoments moments = new SecondMoments(observers(), rounding.nodes());
      passes.run(SUMS, used, scheme, moments);
      return ranged(rounding.apply(used, moments, pool, passes::rounded), scheme, passes).result();
    }
    AnswerMoments moments =
        new AnswerMoments(rounding.layers(), bits == null ? List.of() : bits.layers());
    moments.add(architecture, used, momentBatches, pool, () -> passes.parts.done(SUMS));
    if (bits == null) {
      return ranged(rounding.apply(used, moments, pool, passes::rounded), scheme, passes).result();
    }
    return chosen(bits, rounding, new Prepared(used, scheme, moments, momentBatches), passes);
  }

  /** One batch shows how large the constants of a file are. */
  private BitSearch draft(BitSearch bits, FloatWeights weights, Scheme scheme, float[] batch) {
    Passes one = new Passes(List.of(batch), new Parts((stage, done, total) -> {}, 1));
    bits.draft(weights, scheme, one.run(SUMS, weights, scheme, new PublishedObserver()));
    return bits;
  }

  /** What comes before the bits of layers are chosen. */
  private record Prepared(
      FloatWeights weights, Scheme scheme, AnswerMoments moments, List<float[]> momentBatches) {}

  private Result chosen(
      BitSearch bits, WeightRoundingPass rounding, Prepared model, Passes passes) {
    // Outlier channels are known by now, and take their part of a file.
    draft(bits, model.weights, model.scheme, passes.batches.get(0));
    List<double[]> costs =
        rounding.costs(
            bits.layers(),
            model.weights,
            model.moments,
            pool,
            () -> passes.parts.done("bits are compared"));
    AnswerDistance distance =
        new AnswerDistance(architecture.answer(), model.momentBatches, model.moments.answers());
    int parts =
        rounding.layers().size() + rangeParts(passes.batches) + askParts(model.momentBatches);
    AtomicBoolean again = new AtomicBoolean();
    return bits.run(
        costs,
        rules -> {
          if (again.getAndSet(true)) {
            passes.parts.more(parts);
          }
          FloatWeights rounded =
              new WeightRoundingPass(architecture, rules)
                  .apply(model.weights, model.moments, pool, passes::rounded);
          return ranged(rounded, model.scheme, passes);
        },
        graph -> distance.of(graph, () -> passes.parts.done("the model is compared")));
  }

  /** Parts of {@link #ranged(FloatWeights, Scheme, Passes)}. */
  private int rangeParts(List<float[]> batches) {
    return quantization.rangeSearch() == RangeSearch.OUTPUT_ERROR
        ? 2 * batches.size() + searched()
        : batches.size();
  }

  /** Parts of asking a model. */
  private int askParts(List<float[]> momentBatches) {
    return quantization.weights().kl() == null ? 0 : momentBatches.size();
  }

  /** Finds ranges and proves the model. */
  private BitSearch.Attempt ranged(FloatWeights used, Scheme before, Passes passes) {
    Scheme scheme = before;
    NodeObserver observers = observers();
    Set<String> searched = Set.of();
    if (quantization.rangeSearch() == RangeSearch.OUTPUT_ERROR) {
      List<float[]> batches = passes.batches;
      RowSamples samples =
          new RowSamples(
              observers(),
              (SAMPLED_ROWS + batches.size() - 1) / batches.size(),
              ReadTokens.of(architecture));
      passes.run("rows are sampled", used, scheme, samples);
      boolean search = quantization.outliers().mode() == OutlierChoice.Mode.AUTO;
      OutputErrorSearch.Result found =
          new OutputErrorSearch(
                  architecture, samples.samples(), used, search ? null : scheme.outliers())
              .run(quantization.gelu(), pool, () -> passes.parts.done("ranges are searched"));
      scheme = scheme.withOutliers(found.outliers());
      searched = found.ranges().keySet();
      NodeObserver others = observers;
      observers =
          values -> {
            Range observed = others.observe(values);
            return found.ranges().getOrDefault(values.node().name(), observed);
          };
    }
    SortedMap<String, Range> ranges = passes.run("ranges are observed", used, scheme, observers);
    IntegerGraph graph = GraphBuilder.build(architecture, used, scheme, ranges);
    return new BitSearch.Attempt(new Result(used, scheme, ranges, searched, null), graph);
  }

  private ObserverSet observers() {
    return new ObserverSet(quantization.observers(), architecture.nodes());
  }

  /** Number of nodes whose ranges are searched. */
  private int searched() {
    return (int) architecture.nodes().values().stream().filter(OutputErrorSearch::mayLead).count();
  }

  /** Counts the parts of the work. */
  private static final class Parts {
    private final Progress progress;
    private int total;
    private int done;

    Parts(Progress progress, int total) {
      this.progress = progress;
      this.total = total;
    }

    synchronized void done(String stage) {
      progress.part(stage, ++done, total);
    }

    synchronized void more(int parts) {
      total += parts;
    }
  }

  /** Passes over the same batches. */
  private final class Passes {
    private final List<float[]> batches;
    private final Parts parts;

    Passes(List<float[]> batches, Parts parts) {
      this.batches = batches;
      this.parts = parts;
    }

    void rounded() {
      parts.done("weights are rounded");
    }

    /**
     * Shows every batch to the observer. Much of a batch's work is that of one thread, so some
     * batches are in the network at once.
     */
    SortedMap<String, Range> run(
        String stage, FloatWeights weights, Scheme scheme, NodeObserver observer) {
      OrderedPass pass = new OrderedPass(observer, batches.size());
      MatrixProducts products = new PortableMatrixProducts(pool);
      AtomicReference<SortedMap<String, Range>> ranges = new AtomicReference<>();
      try (WorkerPool lanes = new WorkerPool(Math.min(MOST_BATCHES, pool.threads()))) {
        lanes.run(
            batches.size(),
            i -> {
              SortedMap<String, Range> after =
                  pass.run(
                      i,
                      ordered -> {
                        ObservingForward forward =
                            new ObservingForward(architecture, weights, scheme, products, ordered);
                        forward.run(batches.get(i), pictures(batches.get(i)));
                        parts.done(stage);
                        return forward.ranges();
                      });
              if (i == batches.size() - 1) {
                ranges.set(after);
              }
            });
      }
      return ranges.get();
    }

    private int pictures(float[] batch) {
      return batch.length / architecture.pixels();
    }
  }

  private static SortedMap<String, OutlierChannels> given(OutlierChoice choice) {
    SortedMap<String, OutlierChannels> outliers = new TreeMap<>();
    choice
        .given()
        .forEach(
            (node, set) ->
                outliers.put(
                    node,
                    new OutlierChannels(
                        set.channels().stream().mapToInt(Integer::intValue).toArray(),
                        set.shift())));
    return outliers;
  }
}
