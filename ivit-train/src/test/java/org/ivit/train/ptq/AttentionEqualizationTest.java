package org.ivit.train.ptq;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import org.assertj.core.data.Offset;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Rotary;
import org.ivit.core.calibration.ObservingForward;
import org.ivit.core.calibration.PublishedObserver;
import org.ivit.core.engine.reference.ReferenceMatrixProducts;
import org.ivit.core.family.Architectures;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.core.pretrained.PretrainedModel;
import org.ivit.core.scheme.Scheme;
import org.ivit.core.testing.GoldenModel;
import org.ivit.core.testing.Shared;
import org.ivit.train.memory.RealType;
import org.ivit.train.network.NetworkOptions;
import org.ivit.train.network.TransformerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AttentionEqualizationTest {
  private static ChannelMaxima observe(GoldenModel model, FloatWeights weights) {
    ChannelMaxima maxima = new ChannelMaxima(new PublishedObserver());
    new ObservingForward(
            model.architecture(), weights, Scheme.EXACT, new ReferenceMatrixProducts(), maxima)
        .run(model.calibrationBatch(0), 4);
    return maxima;
  }

  private static double[] logits(GoldenModel model, FloatWeights weights) {
    try (WorkerPool pool = new WorkerPool(1)) {
      TransformerNetwork network =
          TransformerNetwork.build(
              NetworkOptions.inference(model.architecture(), null).withType(RealType.FLOAT64),
              pool);
      network.load(weights);
      return network.logits(model.evalPixels(), 4);
    }
  }

  @Test
  void keepsTheFloatFunctionAndLevelsTheChannels() {
    GoldenModel model = new GoldenModel("micro_vit_exact");
    Architecture vit = model.architecture();
    FloatWeights before = model.weights();
    FloatWeights after = AttentionEqualization.apply(vit, before, observe(model, before).largest());
    double[] expected = logits(model, before);
    double[] found = logits(model, after);
    for (int i = 0; i < expected.length; i++) {
      assertThat(Math.abs(found[i] - expected[i])).isLessThan(1e-5);
    }
    assertThat(after.get("blocks.0.attn.qkv.weight"))
        .isNotEqualTo(before.get("blocks.0.attn.qkv.weight"));
    assertThat(before.get("blocks.0.attn.qkv.weight"))
        .isEqualTo(model.weights().get("blocks.0.attn.qkv.weight"));

    float[] level = observe(model, after).largest().get("blocks.0.attn.qkv");
    float top = 0;
    for (float value : level) {
      top = Math.max(top, value);
    }
    int dim = vit.stem().dim();
    for (int c = 0; c < dim; c++) {
      assertThat(level[c] / level[dim + c]).isBetween(0.9f, 1.1f);
      assertThat(level[2 * dim + c] / top).isBetween(0.9f, 1.1f);
    }
  }

  /** The query of a pooling is a constant, whose scores stay as they are. */
  @Test
  void levelsTheValuesOfAnAttentionPooling() {
    PretrainedModel model =
        PretrainedModel.open(Shared.path("golden/families/siglip_map"), line -> {});
    Architecture siglip = model.architecture();
    FloatWeights before = FloatWeights.of(model.weights().tensors());
    float[] pixels =
        Shared.tensors("golden/families/siglip_map/float.safetensors").get("images").floats();
    FloatWeights after =
        AttentionEqualization.apply(siglip, before, largest(siglip, before, pixels));
    try (WorkerPool pool = new WorkerPool(1)) {
      double[] expected = FloatFamily.outputs(siglip, before, pixels, 3, pool).get("features");
      double[] found = FloatFamily.outputs(siglip, after, pixels, 3, pool).get("features");
      for (int i = 0; i < expected.length; i++) {
        assertThat(Math.abs(found[i] - expected[i])).isLessThan(1e-5);
      }
    }
    assertThat(flatness(largest(siglip, before, pixels).get("attn_pool.v"))).isLessThan(0.6);
    assertThat(flatness(largest(siglip, after, pixels).get("attn_pool.v"))).isGreaterThan(0.75);
    assertThat(after.get("attn_pool.scores.weight"))
        .isEqualTo(before.get("attn_pool.scores.weight"));
  }

  /** A factor of each channel would turn with it. */
  @ParameterizedTest
  @ValueSource(strings = {"dinov3", "cat"})
  void channelsThatAreTurnedIntoEachOtherHaveOneFactor(String rotary) {
    Architecture vit =
        Architectures.parse(
            """
            {"kind": "vit", "image": [16, 24], "patch": 4, "dim": 24, "depth": 1, "heads": 2,
             "classes": 0, "registers": 2, "rotary": "%s"}
            """
                .formatted(rotary));
    Random random = new Random(6);
    FloatWeights before = UnevenWeights.of(vit, random);
    float[] pixels = UnevenWeights.normal(random, 3 * vit.pixels());
    Map<String, float[]> met = largest(vit, before, pixels);
    FloatWeights after = AttentionEqualization.apply(vit, before, met);
    try (WorkerPool pool = new WorkerPool(1)) {
      double[] expected = FloatFamily.outputs(vit, before, pixels, 3, pool).get("features");
      double[] found = FloatFamily.outputs(vit, after, pixels, 3, pool).get("features");
      assertThat(found).containsExactly(expected, Offset.offset(1e-5));
    }
    float[] level = largest(vit, after, pixels).get("blocks.0.attn.rope");
    Rotary.Kind kind = vit.blocks().get(0).rotary().kind();
    int dim = 24;
    for (int c = 0; c < dim; c++) {
      int partner = c - c % 12 + kind.partner(c % 12, 12);
      float query = Math.max(level[c], level[partner]);
      float key = Math.max(level[dim + c], level[dim + partner]);
      assertThat(query / key).isBetween(0.85f, 1.15f);
    }
    assertThat(flatness(Arrays.copyOfRange(level, 2 * dim, 3 * dim))).isGreaterThan(0.85);
    assertThat(flatness(Arrays.copyOfRange(met.get("blocks.0.attn.rope"), 2 * dim, 3 * dim)))
        .isLessThan(0.5);
  }

  /** The smallest of some values, none below 0, as a part of the largest. */
  private static double flatness(float[] values) {
    float least = Float.POSITIVE_INFINITY;
    float most = 0;
    for (float value : values) {
      least = Math.min(least, value);
      most = Math.max(most, value);
    }
    return least / (double) most;
  }

  private static Map<String, float[]> largest(
      Architecture architecture, FloatWeights weights, float[] pixels) {
    ChannelMaxima maxima = new ChannelMaxima(new PublishedObserver());
    new ObservingForward(architecture, weights, Scheme.EXACT, new ReferenceMatrixProducts(), maxima)
        .run(pixels, 3);
    return maxima.largest();
  }

  @Test
  void leavesChannelsAloneThatAreNeverMet() {
    GoldenModel model = new GoldenModel("micro_vit_exact");
    FloatWeights before = model.weights();
    var nothing = new java.util.TreeMap<String, float[]>();
    nothing.put("blocks.0.attn.qkv", new float[96]);
    nothing.put("blocks.1.attn.qkv", new float[96]);
    FloatWeights after = AttentionEqualization.apply(model.architecture(), before, nothing);
    before.values().forEach((name, v) -> assertThat(after.get(name)).as(name).isEqualTo(v));
  }
}
