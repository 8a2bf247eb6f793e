package org.ivit.train.ptq;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.DoubleUnaryOperator;
import org.apache.commons.numbers.gamma.Erfc;
import org.ivit.core.architecture.ActivationSpec;
import org.ivit.core.architecture.Answer;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.LinearSpec;
import org.ivit.core.architecture.Node;
import org.ivit.core.architecture.NodeKind;
import org.ivit.core.arithmetic.Activation;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.Silu;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.core.scheme.Range;
import org.ivit.train.memory.Gemm;
import org.ivit.train.memory.OpenBlasGemm;

/**
 * Chooses range and outlier channels of each node that feeds a linear layer, directly, through GELU
 * or as one of the two that meet in SwiGLU, by the smallest {@link OutputError}, which is 1 −
 * cosine where the layer's output is the model's feature. The nodes are searched one by one; each
 * has all its values as they are, so the order does not matter, save that {@code mlp.act} chooses
 * the channels that {@code mlp.fc1} shares. Where the answer is a feature both choose them, tokens
 * that it reads count as much as all others together ({@link ReadTokens}), and no range clips what
 * was seen there.
 */
final class OutputErrorSearch {
  /**
   * Sizes of outlier sets to try, of the channels with the largest values, up to half of a node's.
   * Engines multiply the sets apart, so that a large one costs them no more than a small one.
   */
  private static final int[] SET_SIZES = {
    1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048
  };

  /** A larger set must lower the error to this part of the smaller one's. */
  private static final double WORTH = 0.98;

  /**
   * How far beyond the largest value that was seen at the tokens that the answer reads (the class
   * token) no range clips. What is clipped there goes into the answer whole, and other pictures
   * have larger values than the few that were seen.
   */
  private static final double MARGIN = 1.5;

  /** The search in one direction ends where the error is this multiple of the best. */
  private static final double HOPELESS = 2;

  private static final double COARSE = 0.85;
  private static final int COARSE_STEPS = 9;
  private static final double[] FINE = {-2 / 3.0, -1 / 3.0, 1 / 3.0, 2 / 3.0};

  private final Architecture architecture;
  private final SortedMap<String, RowSamples.Sample> samples;
  private final FloatWeights weights;
  private final Map<String, OutlierChannels> fixed;
  private final Gemm gemm = new OpenBlasGemm();

  /**
   * What was chosen.
   *
   * @param ranges by full node name, of the nodes that were searched
   * @param outliers by full node name, of the nodes that have some
   */
  record Result(SortedMap<String, Range> ranges, SortedMap<String, OutlierChannels> outliers) {}

  private record Choice(OutlierChannels outliers, float limit, double error) {}

  /**
   * @param architecture whose nodes they are
   * @param samples rows by full node name
   * @param weights float weights by timm name
   * @param fixed outlier channels by node where they are given (none where a node is absent), or
   *     null to choose them
   */
  OutputErrorSearch(
      Architecture architecture,
      SortedMap<String, RowSamples.Sample> samples,
      FloatWeights weights,
      Map<String, OutlierChannels> fixed) {
    this.architecture = architecture;
    this.samples = samples;
    this.weights = weights;
    this.fixed = fixed;
  }

  /**
   * Searches every node whose reader is a linear layer.
   *
   * @param gelu form of GELU; without its erf form, {@code mlp.fc1} is left to its observer and
   *     {@code mlp.act} gets no outlier channels
   * @param pool a node is a task
   * @param searched hears of each node, from the pool's threads
   */
  Result run(GeluForm gelu, WorkerPool pool, Runnable searched) {
    Map<String, ActivationSpec> activations = new HashMap<>();
    architecture.activations().forEach(spec -> activations.put(spec.node().name(), spec));
    Map<String, Block> gated = new HashMap<>();
    for (Block site : architecture.blocks()) {
      if (site.gated()) {
        gated.put(site.fc1().name(), site);
        gated.put(site.valueLinear().node().name(), site);
      }
    }
    List<Node> nodes =
        architecture.nodes().values().stream()
            .filter(node -> mayLead(node) && samples.containsKey(node.name()))
            .toList();
    Map<String, Choice> chosen = new ConcurrentHashMap<>();
    pool.run(
        nodes.size(),
        i -> {
          Node node = nodes.get(i);
          if (gated.containsKey(node.name())) {
            chosen.put(node.name(), searchGated(node, gated.get(node.name())));
          } else {
            search(node, activations.get(node.name()), gelu, chosen);
          }
          searched.run();
        });
    SortedMap<String, Range> ranges = new TreeMap<>();
    SortedMap<String, OutlierChannels> outliers = new TreeMap<>();
    chosen.forEach(
        (node, choice) -> {
          ranges.put(node, new Range(-choice.limit(), choice.limit()));
          if (!choice.outliers().isEmpty()) {
            outliers.put(node, choice.outliers());
          }
        });
    return new Result(ranges, outliers);
  }

  /** Whether a node is searched for itself: {@code mlp.fc1} is searched with {@code mlp.act}. */
  static boolean mayLead(Node node) {
    NodeKind kind = node.kind();
    boolean gated = kind == NodeKind.GATE || kind == NodeKind.VALUE;
    return gated || (kind.mayHaveOutliers() && kind != NodeKind.HIDDEN);
  }

  /** A gate, or what it gates. */
  private Choice searchGated(Node node, Block site) {
    RowSamples.Sample gates = samples.get(site.fc1().name());
    RowSamples.Sample values = samples.get(site.valueLinear().node().name());
    boolean gate = node.kind() == NodeKind.GATE;
    float[] gamma = site.gatedNorm() ? weights.get(site.mlpNorm().name() + ".weight") : null;
    RowSamples.Sample own = gate ? gates : values;
    OutputError error =
        OutputError.along(
            GatedPath.of(gate, gates.rows(), values.rows(), gamma, site.epsilon()),
            own.rows(),
            own.weights(),
            site.hidden(),
            readerOf(site.fc2Linear().input()),
            gate ? Silu::value : null,
            gemm);
    return new Candidate(node.name(), own.largest(), own.largestRead(), error)
        .best(OutlierChannels.NONE);
  }

  /**
   * @param activation the activation function that the node is; null for other nodes
   */
  private void search(
      Node node, ActivationSpec activation, GeluForm gelu, Map<String, Choice> chosen) {
    boolean free = fixed == null && (activation == null || gelu.isErf());
    boolean asymmetric = activation != null && gelu == GeluForm.ASYMMETRIC;
    float[] reader = readerOf(node);
    List<Candidate> candidates = new ArrayList<>();
    candidates.add(candidate(node.name(), reader, null, asymmetric));
    if (activation != null && gelu.isErf() && samples.containsKey(activation.input().name())) {
      candidates.add(
          candidate(activation.input().name(), reader, function(activation.function()), false));
    }
    List<Choice> choices =
        free
            ? Candidate.best(candidates, architecture.answer() == Answer.FEATURES)
            : candidates.stream().map(c -> c.best(fixedOutliers(c.node()))).toList();
    for (int i = 0; i < choices.size(); i++) {
      chosen.put(candidates.get(i).node(), choices.get(i));
    }
  }

  private Candidate candidate(
      String node, float[] reader, DoubleUnaryOperator between, boolean asymmetric) {
    RowSamples.Sample sample = samples.get(node);
    return new Candidate(
        node,
        sample.largest(),
        sample.largestRead(),
        new OutputError(
            sample.rows(),
            sample.weights(),
            sample.channels(),
            reader,
            between,
            asymmetric,
            featureBias(node),
            gemm));
  }

  /** The bias of the layer that reads a node, where its output is the model's feature; or null. */
  private float[] featureBias(String node) {
    if (architecture.answer() == Answer.CLASSES) {
      return null;
    }
    return architecture.head().linears().stream()
        .filter(layer -> layer.input().name().equals(node))
        .findFirst()
        .map(layer -> weights.get(layer.bias()))
        .orElse(null);
  }

  private OutlierChannels fixedOutliers(String node) {
    return fixed == null ? OutlierChannels.NONE : fixed.getOrDefault(node, OutlierChannels.NONE);
  }

  @FunctionalInterface
  private interface OutliersOfLimit {
    OutlierChannels at(float limit);
  }

  /**
   * The quantizers of one node.
   *
   * @param node full name
   * @param largest largest absolute value of each channel
   * @param largestRead the same over the rows that the answer reads
   * @param error what a quantizer costs
   */
  private record Candidate(String node, float[] largest, float[] largestRead, OutputError error) {
    /**
     * The best of nodes that share one set of channels, over sets and limits. Channels come in the
     * order of the first node's largest values.
     *
     * @param together whether the set is that with the smallest sum of errors, which takes twice
     *     the time; otherwise the first node chooses it
     */
    static List<Choice> best(List<Candidate> candidates, boolean together) {
      if (!together && candidates.size() > 1) {
        Choice first = best(candidates.subList(0, 1), true).get(0);
        List<Choice> all = new ArrayList<>(List.of(first));
        for (Candidate other : candidates.subList(1, candidates.size())) {
          all.add(other.best(first.outliers().channels()));
        }
        return all;
      }
      float[] largest = candidates.get(0).largest();
      List<Choice> best = best(candidates, new int[0]);
      Integer[] order = new Integer[largest.length];
      Arrays.setAll(order, c -> c);
      Arrays.sort(order, (a, b) -> Float.compare(largest[b], largest[a]));
      for (int size : SET_SIZES) {
        if (2 * size > largest.length || largest[order[size]] == 0) {
          break;
        }
        int[] channels = new int[size];
        Arrays.setAll(channels, i -> order[i]);
        Arrays.sort(channels);
        List<Choice> choices = best(candidates, channels);
        if (sum(choices) < WORTH * sum(best)) {
          best = choices;
        } else if (sum(choices) > HOPELESS * sum(best)) {
          break;
        }
      }
      return best;
    }

    private static List<Choice> best(List<Candidate> candidates, int[] channels) {
      return candidates.stream().map(candidate -> candidate.best(channels)).toList();
    }

    private static double sum(List<Choice> choices) {
      return choices.stream().mapToDouble(Choice::error).sum();
    }

    /** The best over limits; the shift is the smallest that holds the largest value of the set. */
    private Choice best(int[] channels) {
      double top = 0;
      for (int c : channels) {
        top = Math.max(top, Math.max(largest[c], MARGIN * largestRead[c]));
      }
      double held = top;
      return scan(channels, limit -> withShift(channels, limit, held));
    }

    /** The best over limits with a given set and shift. */
    Choice best(OutlierChannels outliers) {
      return scan(outliers.channels(), limit -> outliers);
    }

    /**
     * A coarse scan down from the largest value outside the set to what no range clips, then a fine
     * one at its best.
     */
    private Choice scan(int[] apart, OutliersOfLimit outliers) {
      double rest = 0;
      float least = 0;
      for (int c = 0; c < largest.length; c++) {
        if (Arrays.binarySearch(apart, c) < 0) {
          rest = Math.max(rest, largest[c]);
          least = Math.max(least, (float) (MARGIN * largestRead[c]));
        }
      }
      Choice best = null;
      int centre = 0;
      for (int step = 0; step < COARSE_STEPS; step++) {
        Choice choice = at(rest, least, step, outliers);
        if (best == null || choice.error() < best.error()) {
          best = choice;
          centre = step;
        } else if (choice.error() > HOPELESS * best.error()) {
          break;
        }
        if (choice.limit() <= least) {
          break;
        }
      }
      for (double offset : FINE) {
        if (centre + offset >= 0) {
          Choice choice = at(rest, least, centre + offset, outliers);
          best = choice.error() < best.error() ? choice : best;
        }
      }
      return best;
    }

    private Choice at(double rest, float least, double step, OutliersOfLimit outliers) {
      float limit = (float) Math.max(least, rest * Math.pow(COARSE, step));
      OutlierChannels set = outliers.at(limit);
      return new Choice(set, limit, error.of(limit, set));
    }
  }

  private static OutlierChannels withShift(int[] channels, float limit, double top) {
    if (channels.length == 0) {
      return OutlierChannels.NONE;
    }
    int shift = 1;
    while (shift < OutlierChannels.MAX_SHIFT && limit * (double) (1L << shift) < top) {
      shift++;
    }
    return new OutlierChannels(channels, shift);
  }

  /** The weights of the linear layers that read a node, one below the other. */
  private float[] readerOf(Node node) {
    float[] all = {};
    for (LinearSpec layer : architecture.linears()) {
      if (layer.input().equals(node)) {
        float[] weight = weights.get(layer.weight());
        int at = all.length;
        all = Arrays.copyOf(all, at + weight.length);
        System.arraycopy(weight, 0, all, at, weight.length);
      }
    }
    return all;
  }

  /** GELU by an error function that is faster than the one that tables are made with. */
  private static DoubleUnaryOperator function(Activation activation) {
    return activation == Activation.GELU ? OutputErrorSearch::gelu : activation::value;
  }

  private static double gelu(double x) {
    return x * 0.5 * Erfc.value(-x / Math.sqrt(2));
  }
}
