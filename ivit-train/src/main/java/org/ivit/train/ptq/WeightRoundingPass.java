package org.ivit.train.ptq;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Swin;
import org.ivit.core.architecture.Vit;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.parallel.WorkerPool;

/** Which linear layers are rounded by second-order error, and by which node's inputs. */
final class WeightRoundingPass {
  private static final String WEIGHT = ".weight";

  /**
   * Rows an input channel that a second moment must rest on; with fewer it fits the pictures that
   * it was taken on and no others.
   */
  private static final int ROWS_PER_INPUT = 8;

  /** Input node of each layer; the patch embedding, which reads pixels, is rounded to nearest. */
  private final Map<String, String> inputs = new LinkedHashMap<>();

  WeightRoundingPass(Architecture architecture) {
    for (Block site : architecture.blocks()) {
      inputs.put(site.node("attn.qkv"), site.node("norm1"));
      inputs.put(site.node("attn.proj"), site.node("attn.context"));
      inputs.put(site.node("mlp.fc1"), site.node("norm2"));
      inputs.put(site.node("mlp.fc2"), site.node("mlp.act"));
    }
    if (architecture instanceof Swin swin) {
      swin.stages().stream()
          .filter(Swin.Stage::merges)
          .forEach(stage -> inputs.put(stage.reduction(), stage.mergeNorm()));
      inputs.put(NodeNames.HEAD, NodeNames.POOL);
    } else {
      ((Vit) architecture).classifiers().forEach(head -> inputs.put(head, NodeNames.NORM));
    }
  }

  /** Number of layers that are looked at. */
  int layers() {
    return inputs.size();
  }

  /** The nodes whose second moments are needed. */
  Set<String> nodes() {
    return Set.copyOf(inputs.values());
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
    List<String> layers = new ArrayList<>(inputs.keySet());
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
      String layer,
      FloatWeights weights,
      SecondMoments moments,
      Map<String, float[]> rounded,
      Map<String, float[]> scales) {
    float[] weight = weights.get(layer + WEIGHT);
    double[] moment = moments.mean(inputs.get(layer));
    int channels = (int) Math.rint(Math.sqrt((double) moment.length));
    if (moments.rows(inputs.get(layer)) < (long) ROWS_PER_INPUT * channels) {
      return;
    }
    float[] scale = SecondOrderRounding.scales(weight, channels);
    rounded.put(
        layer + WEIGHT, new SecondOrderRounding(layer, moment, channels).round(weight, scale));
    scales.put(layer + WEIGHT, scale);
  }
}
