package org.ivit.train.ptq;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.LinearSpec;
import org.ivit.core.checkpoint.CheckpointFile;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.graph.build.GraphBuilder;
import org.ivit.core.scheme.Range;
import org.ivit.core.scheme.Scheme;
import org.ivit.core.weight.WeightGrid;
import org.ivit.train.ptq.bits.BitAllocation;
import org.ivit.train.ptq.bits.ChosenBits;
import org.ivit.train.ptq.bits.FileSize;
import org.ivit.train.recipe.WeightRules;

/**
 * Chooses the bits of layers by the budget of the recipe, from what rounding each of them costs. Of
 * a file all but its packed constants is known to the byte beforehand; a model whose constants turn
 * out too large is tried again with fewer bits.
 */
final class BitSearch {
  /** Models that are tried for a budget of size: constants differ by little. */
  private static final int MOST_SIZES = 3;

  /** One part in so many of a size is kept for constants that deflate less than the draft's. */
  private static final int RESERVE = 1000;

  /** Models that are tried for a budget of KL: each is calibrated to the end. */
  private static final int MOST_MODELS = 4;

  /** A model that uses so much of the budget of KL is good enough. */
  private static final double GOOD_ENOUGH = 0.9;

  /** Part of the budget of KL that the next model aims at. */
  private static final double AIM = 0.97;

  /** Part of the budget of KL that weights get at first; activations take the rest. */
  private static final double FIRST_AIM = 0.7;

  private final Architecture architecture;
  private final WeightRules rules;
  private final FileSize fileSize;
  private final List<LinearSpec> layers;
  private FloatWeights weights;
  private Scheme scheme;
  private SortedMap<String, Range> ranges;
  private BitAllocation allocation;

  /** A model calibrated to the end. */
  record Attempt(PostTrainingCalibration.Result result, IntegerGraph graph) {}

  /** Calibrates a model to the end. */
  @FunctionalInterface
  interface Attempts {
    /**
     * @param chosen rules without candidates
     */
    Attempt run(WeightRules chosen);
  }

  /** Asks a model how far its answers are from the float model's. */
  @FunctionalInterface
  interface Distance {
    double of(IntegerGraph graph);
  }

  /**
   * @param rules with a budget
   * @param fileSize measures files
   */
  BitSearch(Architecture architecture, WeightRules rules, FileSize fileSize) {
    this.architecture = architecture;
    this.rules = rules;
    this.fileSize = fileSize;
    this.layers =
        architecture.linears().stream()
            .filter(layer -> rules.candidates(layer).size() > 1)
            .toList();
  }

  /** The layers whose bits are chosen. */
  List<LinearSpec> layers() {
    return layers;
  }

  /**
   * Takes a draft of the model, whose files are as large as those of the calibrated one but for
   * what deflates better or worse.
   *
   * @param weights float parameters
   * @param scheme forms, widths
   * @param ranges by full node name
   * @throws InputException if the budget is a size that no choice fits
   */
  void draft(FloatWeights weights, Scheme scheme, SortedMap<String, Range> ranges) {
    this.weights = weights;
    this.scheme = scheme;
    this.ranges = ranges;
    if (rules.size() != null) {
      int[] fewest = new int[layers.size()];
      int[] most = new int[layers.size()];
      Arrays.setAll(most, i -> rules.candidates(layers.get(i)).size() - 1);
      long smallest = draftBytes(fewest);
      if (smallest > rules.size()) {
        throw tooSmall(smallest, draftBytes(most));
      }
    }
  }

  private InputException tooSmall(long smallest, long largest) {
    return new InputException(
        "quantization.weights.size: found %d bytes, expected at least %d: files of %s have %d to %d bytes"
            .formatted(rules.size(), smallest, architecture.name(), smallest, largest));
  }

  private long draftBytes(int[] choice) {
    Map<String, float[]> scales = new HashMap<>(weights.scales());
    Map<String, WeightGrid> grids = new LinkedHashMap<>();
    WeightRules chosen = resolved(choice);
    for (LinearSpec layer : architecture.linears()) {
      WeightRules.Choice own = chosen.choose(layer);
      if (own.fewer()) {
        float[] scale = SecondOrderRounding.scales(weights.get(layer.weight()), layer.inputs());
        scales.put(layer.weight(), scale);
        grids.put(layer.weight(), standIn(own, layer));
      }
    }
    FloatWeights drawn = new FloatWeights(weights.values(), scales, grids);
    return fileSize.bytes(GraphBuilder.build(architecture, drawn, scheme, ranges), chosen);
  }

  private static WeightGrid standIn(WeightRules.Choice choice, LinearSpec layer) {
    return choice.fewer()
        ? GridFit.standIn(choice.codes(), choice.bits(), layer.outputs(), layer.inputs())
        : null;
  }

  /**
   * Chooses.
   *
   * @param costs of each of {@link #layers}, by candidate
   * @param attempts calibrates models
   * @param distance asks them; of use for a budget of KL alone
   * @return the model that was chosen
   * @throws InputException if no model that was tried keeps the budget
   */
  PostTrainingCalibration.Result run(List<double[]> costs, Attempts attempts, Distance distance) {
    List<List<BitAllocation.Option>> options = new ArrayList<>();
    for (int i = 0; i < costs.size(); i++) {
      LinearSpec layer = layers.get(i);
      List<WeightRules.Choice> candidates = rules.candidates(layer);
      List<BitAllocation.Option> own = new ArrayList<>();
      for (int c = 0; c < candidates.size(); c++) {
        long bytes =
            CheckpointFile.weightBytes(
                layer.outputs(), layer.inputs(), standIn(candidates.get(c), layer));
        own.add(new BitAllocation.Option(bytes, costs.get(i)[c]));
      }
      options.add(own);
    }
    allocation = new BitAllocation(options);
    return rules.size() != null ? bySize(attempts) : byDistance(attempts, distance);
  }

  private PostTrainingCalibration.Result bySize(Attempts attempts) {
    long limit = rules.size() - rules.size() / RESERVE;
    long bytes = 0;
    for (int trial = 0; trial < MOST_SIZES; trial++) {
      int[] choice = fitting(limit);
      Attempt attempt = attempts.run(resolved(choice));
      bytes = fileSize.bytes(attempt.graph(), resolved(choice));
      if (bytes <= rules.size()) {
        return result(attempt, choice, bytes, Double.NaN);
      }
      if (Arrays.equals(choice, allocation.smallest())) {
        break;
      }
      limit -= bytes - rules.size();
    }
    throw new InputException(
        "quantization.weights.size: found %d bytes, but the calibrated model has %d: expected so many"
            .formatted(rules.size(), bytes));
  }

  /** The choice of least cost whose draft has at most so many bytes. */
  private int[] fitting(long limit) {
    int[] choice = allocation.smallest();
    long rest = draftBytes(choice) - allocation.bytes(choice);
    while (true) {
      choice = allocation.within(limit - rest);
      long over = draftBytes(choice) - limit;
      if (over <= 0 || Arrays.equals(choice, allocation.smallest())) {
        return choice;
      }
      rest += over;
    }
  }

  private PostTrainingCalibration.Result byDistance(Attempts attempts, Distance distance) {
    double budget = rules.kl();
    PostTrainingCalibration.Result best = null;
    long bestBytes = Long.MAX_VALUE;
    Point good = null;
    Point bad = null;
    double aim = FIRST_AIM * budget;
    int[] before = null;
    for (int model = 0; model < MOST_MODELS; model++) {
      int[] choice = allocation.costing(aim);
      if (Arrays.equals(choice, before)) {
        break;
      }
      before = choice;
      Attempt attempt = attempts.run(resolved(choice));
      Point point = new Point(allocation.cost(choice), distance.of(attempt.graph()));
      if (point.found <= budget) {
        good = point;
        long bytes = fileSize.bytes(attempt.graph(), resolved(choice));
        if (bytes < bestBytes) {
          bestBytes = bytes;
          best = result(attempt, choice, bytes, point.found);
        }
        if (point.found >= GOOD_ENOUGH * budget) {
          break;
        }
      } else {
        bad = point;
      }
      boolean last = best == null && model == MOST_MODELS - 2;
      aim = last ? 0 : next(good, bad, AIM * budget);
    }
    if (best == null) {
      throw new InputException(
          "quantization.weights.kl: found %s, but the best model that was tried has %.6f on the calibration pictures: expected more"
              .formatted(budget, bad.found));
    }
    return best;
  }

  /**
   * A model that was asked.
   *
   * @param estimate of what rounding costs
   * @param found what the integer model costs
   */
  private record Point(double estimate, double found) {}

  /** The estimate at which a model should be found at the goal. */
  private static double next(Point good, Point bad, double goal) {
    if (good != null && bad != null) {
      double part = (goal - good.found) / (bad.found - good.found);
      return good.estimate + part * (bad.estimate - good.estimate);
    }
    Point one = good == null ? bad : good;
    return Math.max(one.estimate + goal - one.found, 0);
  }

  private PostTrainingCalibration.Result result(
      Attempt attempt, int[] choice, long bytes, double found) {
    ChosenBits bits =
        new ChosenBits(
            resolved(choice),
            chosen(choice),
            bytes,
            architecture.answer(),
            allocation.cost(choice),
            found);
    return attempt.result().with(bits);
  }

  private WeightRules resolved(int[] choice) {
    return rules.resolved(chosen(choice));
  }

  private Map<String, WeightRules.Choice> chosen(int[] choice) {
    Map<String, WeightRules.Choice> chosen = new LinkedHashMap<>();
    for (int i = 0; i < choice.length; i++) {
      LinearSpec layer = layers.get(i);
      chosen.put(layer.node().name(), rules.candidates(layer).get(choice[i]));
    }
    return chosen;
  }
}
