package org.ivit.train.ptq;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Random;
import org.assertj.core.data.Offset;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.calibration.ObservingForward;
import org.ivit.core.calibration.PublishedObserver;
import org.ivit.core.engine.reference.ReferenceMatrixProducts;
import org.ivit.core.family.Architectures;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.core.scheme.Scheme;
import org.junit.jupiter.api.Test;

class GatedEqualizationTest {
  private static final String VALUE = "blocks.0.mlp.fc1_x";
  private static final String ACT = "blocks.0.mlp.act";
  private static final String LAST = "blocks.0.mlp.fc2";
  private static final int PICTURES = 3;
  private static final int HIDDEN = 20;

  private final Random random = new Random(2);

  private static Architecture vit(String mlp) {
    return Architectures.parse(
        """
        {"kind": "vit", "image": [16, 24], "patch": 4, "dim": 24, "depth": 2, "heads": 2,
         "hidden": 20, "classes": 0, "mlp": "%s"}
        """
            .formatted(mlp));
  }

  private static Map<String, float[]> largest(
      Architecture architecture, FloatWeights weights, float[] pixels) {
    ChannelMaxima maxima = new ChannelMaxima(new PublishedObserver());
    new ObservingForward(architecture, weights, Scheme.EXACT, new ReferenceMatrixProducts(), maxima)
        .run(pixels, PICTURES);
    return maxima.largest();
  }

  private static float[] columns(FloatWeights weights) {
    float[] columns = new float[HIDDEN];
    float[] weight = weights.get(LAST + ".weight");
    for (int i = 0; i < weight.length; i++) {
      columns[i % HIDDEN] = Math.max(columns[i % HIDDEN], Math.abs(weight[i]));
    }
    return columns;
  }

  @Test
  void keepsTheFloatFunctionAndSharesTheScales() {
    Architecture vit = vit("swiglu");
    FloatWeights before = UnevenWeights.of(vit, random);
    float[] pixels = UnevenWeights.normal(random, PICTURES * vit.pixels());
    FloatWeights after = GatedEqualization.apply(vit, before, largest(vit, before, pixels));
    try (WorkerPool pool = new WorkerPool(1)) {
      double[] expected = FloatFamily.outputs(vit, before, pixels, PICTURES, pool).get("features");
      double[] found = FloatFamily.outputs(vit, after, pixels, PICTURES, pool).get("features");
      assertThat(found).containsExactly(expected, Offset.offset(1e-5));
    }
    Map<String, float[]> met = largest(vit, after, pixels);
    float[] columns = columns(after);
    for (int c = 0; c < HIDDEN; c++) {
      double level = Math.sqrt(met.get(VALUE)[c] * met.get(ACT)[c]);
      assertThat(level / columns[c]).isBetween(0.9, 1.1);
    }
    assertThat(before.get(VALUE + ".weight")).isNotEqualTo(after.get(VALUE + ".weight"));
    assertThat(before.get("blocks.1.mlp.fc1_x.bias"))
        .isNotEqualTo(after.get("blocks.1.mlp.fc1_x.bias"));
  }

  /** A norm would take factors back. */
  @Test
  void leavesMlpsAloneThatNormTheirProducts() {
    Architecture vit = vit("swiglu_norm");
    FloatWeights before = UnevenWeights.of(vit, random);
    float[] pixels = UnevenWeights.normal(random, PICTURES * vit.pixels());
    FloatWeights after = GatedEqualization.apply(vit, before, largest(vit, before, pixels));
    before.values().forEach((name, v) -> assertThat(after.get(name)).as(name).isEqualTo(v));
  }

  @Test
  void leavesChannelsAloneThatAreNeverMet() {
    Architecture vit = vit("swiglu");
    FloatWeights before = UnevenWeights.of(vit, random);
    float[] nothing = new float[HIDDEN];
    FloatWeights after =
        GatedEqualization.apply(vit, before, Map.of(VALUE, nothing, "blocks.1.mlp.fc1_x", nothing));
    before.values().forEach((name, v) -> assertThat(after.get(name)).as(name).isEqualTo(v));
  }
}
