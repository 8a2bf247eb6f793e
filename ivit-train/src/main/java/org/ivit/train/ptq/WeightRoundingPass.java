package org.ivit.train.ptq;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
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

  /** The layers whose inputs' second moments are needed. */
  List<LinearSpec> specs() {
    return layers;
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
    SecondMoment seen = moments.of(layer);
    int channels = layer.inputs();
    if (seen.rows() < (long) ROWS_PER_INPUT * channels) {
      return;
    }
    // Without a bias nothing makes up for a change of the mean output.
    double[] moment = layer.biased() ? seen.centred() : seen.raw();
    float[] scale = SecondOrderRounding.scales(weight, channels);
    float[] codes =
        new SecondOrderRounding(layer.parameters(), moment, channels).round(weight, scale);
    rounded.put(layer.weight(), codes);
    scales.put(layer.weight(), scale);
    if (layer.biased()) {
      rounded.put(layer.bias(), corrected(weights.get(layer.bias()), weight, codes, seen.mean()));
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
