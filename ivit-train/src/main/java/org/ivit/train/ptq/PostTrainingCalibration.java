package org.ivit.train.ptq;

import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.calibration.NodeObserver;
import org.ivit.core.calibration.ObservingForward;
import org.ivit.core.calibration.PublishedObserver;
import org.ivit.core.engine.cpu.CpuMatrixProducts;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.graph.GraphBuilder;
import org.ivit.core.graph.NodeNames;
import org.ivit.core.graph.Range;
import org.ivit.core.graph.Scheme;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.train.observer.ObserverSet;
import org.ivit.train.recipe.OutlierChoice;
import org.ivit.train.recipe.Quantization;
import org.ivit.train.recipe.RangeSearch;
import org.ivit.train.recipe.WeightRounding;

/**
 * Finds outlier channels and ranges of a float model on some pictures: a first pass for the
 * channels where the recipe asks for it, one that sums second moments where weights are rounded by
 * them, one that samples rows where ranges are searched, and a last one for the (other) ranges. The
 * bounds of the model are proved before it answers.
 */
public final class PostTrainingCalibration {
  /** Rows of a node that the search for ranges looks at. */
  private static final int SAMPLED_ROWS = 2048;

  private final Architecture architecture;
  private final Quantization quantization;
  private final WorkerPool pool;

  /**
   * What calibration found.
   *
   * @param weights float parameters, equalized and rounded where the recipe asks for it
   * @param scheme forms, widths, outlier channels
   * @param ranges by full node name
   */
  public record Result(FloatWeights weights, Scheme scheme, SortedMap<String, Range> ranges) {}

  /** Hears of each batch. */
  @FunctionalInterface
  public interface Progress {
    /**
     * @param done batches so far, over all passes
     * @param total batches of all passes
     */
    void batch(int done, int total);
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
   * @param progress hears of each batch
   * @throws org.ivit.core.InputException if the model fails a bound: names the node
   */
  public Result run(FloatWeights weights, List<float[]> batches, Progress progress) {
    boolean search = quantization.outliers().mode() == OutlierChoice.Mode.AUTO;
    boolean free = weights.scales().isEmpty();
    boolean equalize = quantization.equalize() && free;
    boolean secondOrder = quantization.weightRounding() == WeightRounding.SECOND_ORDER && free;
    boolean byError = quantization.rangeSearch() == RangeSearch.OUTPUT_ERROR;
    int count =
        1 + (search ? 1 : 0) + (equalize ? 1 : 0) + (secondOrder ? 1 : 0) + (byError ? 1 : 0);
    Passes passes = new Passes(batches, progress, count);
    Scheme scheme =
        new Scheme(
            quantization.gelu(),
            quantization.softmax(),
            quantization.attentionBits(),
            given(quantization.outliers()));
    FloatWeights used = weights;
    if (equalize) {
      ChannelMaxima maxima = new ChannelMaxima(new PublishedObserver());
      passes.run(used, scheme, maxima);
      used = AttentionEqualization.apply(architecture, weights, maxima.largest());
    }
    if (search) {
      ChannelMaxima maxima = new ChannelMaxima(new PublishedObserver());
      passes.run(used, scheme, maxima);
      Map<String, OutlierChannels> found =
          OutlierSearch.choose(maxima.largest(), quantization.gelu());
      found.keySet().removeIf(node -> !NodeNames.mayHaveOutliers(architecture, node));
      scheme = scheme.withOutliers(found);
    }
    if (secondOrder) {
      WeightRoundingPass rounding = new WeightRoundingPass(architecture);
      SecondMoments moments =
          new SecondMoments(new ObserverSet(quantization.observers()), rounding.nodes());
      passes.run(used, scheme, moments);
      used = rounding.apply(used, moments, pool);
    }
    NodeObserver observers = new ObserverSet(quantization.observers());
    if (byError) {
      RowSamples samples =
          new RowSamples(
              new ObserverSet(quantization.observers()),
              (SAMPLED_ROWS + batches.size() - 1) / batches.size());
      passes.run(used, scheme, samples);
      SortedMap<String, RowSamples.Sample> read = new TreeMap<>(samples.samples());
      read.keySet().removeIf(node -> !NodeNames.mayHaveOutliers(architecture, node));
      OutputErrorSearch.Result found =
          new OutputErrorSearch(read, used, search ? null : scheme.outliers())
              .run(quantization.gelu(), pool);
      scheme = scheme.withOutliers(found.outliers());
      NodeObserver others = observers;
      observers =
          values -> {
            Range observed = others.observe(values);
            return found.ranges().getOrDefault(values.node(), observed);
          };
    }
    SortedMap<String, Range> ranges = passes.run(used, scheme, observers);
    GraphBuilder.build(architecture, used, scheme, ranges);
    return new Result(used, scheme, ranges);
  }

  /** Passes over the same batches. */
  private final class Passes {
    private final List<float[]> batches;
    private final Progress progress;
    private final int total;
    private int done;

    Passes(List<float[]> batches, Progress progress, int count) {
      this.batches = batches;
      this.progress = progress;
      this.total = count * batches.size();
    }

    SortedMap<String, Range> run(FloatWeights weights, Scheme scheme, NodeObserver observer) {
      ObservingForward forward =
          new ObservingForward(
              architecture, weights, scheme, new CpuMatrixProducts(pool), observer);
      int pixels = 3 * architecture.image() * architecture.image();
      for (float[] batch : batches) {
        forward.run(batch, batch.length / pixels);
        progress.batch(++done, total);
      }
      return forward.ranges();
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
