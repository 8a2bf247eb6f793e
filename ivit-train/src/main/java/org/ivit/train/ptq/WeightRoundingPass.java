package org.ivit.train.ptq;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.LinearSpec;
import org.ivit.core.architecture.NodeKind;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.core.weight.WeightGrid;
import org.ivit.train.recipe.WeightRules;

/** Rounds linear layers by second-order error, each to its bits. */
final class WeightRoundingPass {
  /**
   * Rows an input channel that a second moment must rest on; with fewer it fits the pictures that
   * it was taken on and no others.
   */
  private static final int ROWS_PER_INPUT = 8;

  private final WeightRules rules;
  private final List<LinearSpec> layers;

  /** The patch embedding, which reads pixels, is rounded to nearest where it has 8 bits. */
  WeightRoundingPass(Architecture architecture, WeightRules rules) {
    this.rules = rules;
    layers =
        architecture.linears().stream()
            .filter(
                layer ->
                    layer.input().kind() != NodeKind.PIXELS
                        || rules.candidates(layer).stream().anyMatch(WeightRules.Choice::fewer))
            .toList();
  }

  /** The layers that are looked at. */
  List<LinearSpec> layers() {
    return layers;
  }

  /** The nodes that feed them. */
  Set<String> nodes() {
    return layers.stream().map(layer -> layer.input().name()).collect(Collectors.toSet());
  }

  /**
   * Rounds every layer whose inputs were seen often enough to 8 bits, a layer a task. A head, which
   * reads one row a picture, needs many pictures.
   *
   * @param weights float parameters, not changed
   * @param moments of the layers' inputs
   * @param pool threads
   * @param done hears of each layer, from the pool's threads
   * @return other weights; those of rounded layers are codes times the scale frozen beside them
   */
  FloatWeights apply(FloatWeights weights, SecondMoments moments, WorkerPool pool, Runnable done) {
    return apply(
        weights,
        pool,
        done,
        (layer, rounded) -> {
          String input = layer.input().name();
          if (enough(moments.rows(input), layer)) {
            rounded.put(layer, weights, null, moments.mean(input));
          }
        });
  }

  /**
   * Rounds every layer to the bits that the rules choose, about the mean of its inputs where its
   * bias can make up for what that changes.
   *
   * @param weights float parameters, not changed
   * @param moments of the layers' inputs
   * @param pool threads
   * @param done hears of each layer, from the pool's threads
   * @return other weights; those of rounded layers are codes times the scale frozen beside them
   */
  FloatWeights apply(FloatWeights weights, AnswerMoments moments, WorkerPool pool, Runnable done) {
    return apply(
        weights,
        pool,
        done,
        (layer, rounded) -> {
          WeightRules.Choice choice = rules.choose(layer);
          SecondMoment seen = moments.of(layer);
          if (!enough(seen.rows(), layer) && !choice.fewer()) {
            return;
          }
          double[] moment = moment(seen, layer);
          rounded.put(layer, weights, fit(choice, layer, weights, moment), moment);
          if (layer.biased()) {
            rounded.correctBias(layer, weights, seen.mean());
          }
        });
  }

  /** About the mean where the layer has a bias; of few rows the diagonal alone. */
  private static double[] moment(SecondMoment seen, LinearSpec layer) {
    double[] moment = layer.biased() ? seen.centred() : seen.raw();
    if (!enough(seen.rows(), layer)) {
      keepDiagonal(moment, layer.inputs());
    }
    return moment;
  }

  /** Null for 8 bits. */
  private static GridFit fit(
      WeightRules.Choice choice, LinearSpec layer, FloatWeights weights, double[] moment) {
    return choice.fewer()
        ? GridFit.of(
            choice.codes(),
            choice.bits(),
            weights.get(layer.weight()),
            diagonal(moment, layer.inputs()))
        : null;
  }

  /**
   * What rounding each layer costs, with each of its candidates, as {@link AnswerReach} counts.
   *
   * @param layers some of those that are looked at
   * @param weights float parameters
   * @param moments of the layers' inputs
   * @param pool threads
   * @param done hears of each layer, from the pool's threads
   * @return of each layer, in their order, by candidate
   */
  List<double[]> costs(
      List<LinearSpec> layers,
      FloatWeights weights,
      AnswerMoments moments,
      WorkerPool pool,
      Runnable done) {
    double[][] costs = new double[layers.size()][];
    pool.run(
        costs.length,
        i -> {
          LinearSpec layer = layers.get(i);
          double[] moment = moment(moments.of(layer), layer);
          double[] reach = moments.outputCosts(layer);
          float[] weight = weights.get(layer.weight());
          SecondOrderRounding rounding =
              new SecondOrderRounding(layer.parameters(), moment, layer.inputs());
          costs[i] =
              rules.candidates(layer).stream()
                  .mapToDouble(
                      choice -> {
                        GridFit fit = fit(choice, layer, weights, moment);
                        double[] outputs = new double[layer.outputs()];
                        rounding.round(weight, scale(fit, weight, layer), grid(fit), outputs);
                        double cost = 0;
                        for (int o = 0; o < outputs.length; o++) {
                          cost += reach[o] * outputs[o];
                        }
                        return cost;
                      })
                  .toArray();
          done.run();
        });
    return List.of(costs);
  }

  private static float[] scale(GridFit fit, float[] weight, LinearSpec layer) {
    return fit == null ? SecondOrderRounding.scales(weight, layer.inputs()) : fit.scale();
  }

  private static WeightGrid grid(GridFit fit) {
    return fit == null ? null : fit.grid();
  }

  private interface Rounding {
    void round(LinearSpec layer, Rounded rounded);
  }

  private FloatWeights apply(
      FloatWeights weights, WorkerPool pool, Runnable done, Rounding rounding) {
    Rounded rounded = new Rounded();
    pool.run(
        layers.size(),
        i -> {
          rounding.round(layers.get(i), rounded);
          done.run();
        });
    Map<String, float[]> values = new LinkedHashMap<>(weights.values());
    values.putAll(rounded.values);
    return new FloatWeights(values, rounded.scales, rounded.grids);
  }

  private static boolean enough(long rows, LinearSpec layer) {
    return rows >= (long) ROWS_PER_INPUT * layer.inputs();
  }

  private static double[] diagonal(double[] moment, int inputs) {
    double[] diagonal = new double[inputs];
    for (int k = 0; k < inputs; k++) {
      diagonal[k] = Math.max(0, moment[k * inputs + k]);
    }
    return diagonal;
  }

  private static void keepDiagonal(double[] moment, int inputs) {
    for (int i = 0; i < moment.length; i++) {
      if (i / inputs != i % inputs) {
        moment[i] = 0;
      }
    }
  }

  /** What became of layers, filled by several threads. */
  private static final class Rounded {
    private final Map<String, float[]> values = new ConcurrentHashMap<>();
    private final Map<String, float[]> scales = new ConcurrentHashMap<>();
    private final Map<String, WeightGrid> grids = new ConcurrentHashMap<>();

    /**
     * Rounds the weights of a layer.
     *
     * @param fit their grid and scales; null for 8 bits
     */
    void put(LinearSpec layer, FloatWeights weights, GridFit fit, double[] moment) {
      float[] weight = weights.get(layer.weight());
      float[] scale = scale(fit, weight, layer);
      WeightGrid grid = grid(fit);
      values.put(
          layer.weight(),
          new SecondOrderRounding(layer.parameters(), moment, layer.inputs())
              .round(weight, scale, grid));
      scales.put(layer.weight(), scale);
      if (grid != null) {
        grids.put(layer.weight(), grid);
      }
    }

    void correctBias(LinearSpec layer, FloatWeights weights, double[] mean) {
      values.put(
          layer.bias(),
          corrected(
              weights.get(layer.bias()),
              weights.get(layer.weight()),
              values.get(layer.weight()),
              mean));
    }
  }

  /** The bias with which the mean output is that of the weights before they were rounded. */
  static float[] corrected(float[] bias, float[] weight, float[] rounded, double[] mean) {
    float[] corrected = bias.clone();
    for (int o = 0; o < bias.length; o++) {
      double change = 0;
      for (int k = 0; k < mean.length; k++) {
        int at = o * mean.length + k;
        change += ((double) weight[at] - rounded[at]) * mean[k];
      }
      corrected[o] = (float) (bias[o] + change);
    }
    return corrected;
  }
}
