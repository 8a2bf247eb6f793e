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

/** Which linear layers are rounded by second-order error, and by which node's inputs. */
final class WeightRoundingPass {
  /**
   * Rows an input channel that a second moment must rest on; with fewer it fits the pictures that
   * it was taken on and no others.
   */
  private static final int ROWS_PER_INPUT = 8;

  private final List<LinearSpec> layers;

  /** The patch embedding, which reads pixels, is rounded to nearest. */
  WeightRoundingPass(Architecture architecture) {
    layers =
        architecture.linears().stream()
            .filter(layer -> layer.input().kind() != NodeKind.PIXELS)
            .toList();
  }

  /** Number of layers that are looked at. */
  int layers() {
    return layers.size();
  }

  /** The nodes whose second moments are needed. */
  Set<String> nodes() {
    return layers.stream().map(layer -> layer.input().name()).collect(Collectors.toSet());
  }

  /**
   * Rounds every layer whose inputs were seen often enough, a layer a task. A head, which reads one
   * row a picture, needs many pictures.
   *
   * @param weights float parameters, not changed
   * @param moments of the layers' inputs
   * @param pool threads
   * @param done hears of each layer, from the pool's threads
   * @return other weights; those of rounded layers are codes times the scale frozen beside them
   */
  FloatWeights apply(FloatWeights weights, SecondMoments moments, WorkerPool pool, Runnable done) {
    Map<String, float[]> rounded = new ConcurrentHashMap<>();
    Map<String, float[]> scales = new ConcurrentHashMap<>();
    pool.run(
        layers.size(),
        i -> {
          round(layers.get(i), weights, moments, rounded, scales);
          done.run();
        });
    Map<String, float[]> values = new LinkedHashMap<>(weights.values());
    values.putAll(rounded);
    return new FloatWeights(values, scales);
  }

  private void round(
      LinearSpec layer,
      FloatWeights weights,
      SecondMoments moments,
      Map<String, float[]> rounded,
      Map<String, float[]> scales) {
    float[] weight = weights.get(layer.weight());
    double[] moment = moments.mean(layer.input().name());
    int channels = (int) Math.rint(Math.sqrt((double) moment.length));
    if (moments.rows(layer.input().name()) < (long) ROWS_PER_INPUT * channels) {
      return;
    }
    float[] scale = SecondOrderRounding.scales(weight, channels);
    rounded.put(
        layer.weight(),
        new SecondOrderRounding(layer.parameters(), moment, channels).round(weight, scale));
    scales.put(layer.weight(), scale);
  }
}
