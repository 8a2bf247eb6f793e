package org.ivit.export.diagnose;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.calibration.ObservingForward;
import org.ivit.core.calibration.PublishedObserver;
import org.ivit.core.engine.portable.PortableMatrixProducts;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.graph.build.GraphBuilder;
import org.ivit.core.scheme.Scheme;
import org.ivit.core.testing.FamilyModels;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** Nodes of later families: all are listed, with noise and cost. */
class FamilyNodesTest {
  static final List<String> NAMES = FamilyModels.NAMES;

  private static FloatWeights weights(Architecture architecture) {
    Random random = new Random(4);
    Map<String, float[]> values = new LinkedHashMap<>();
    architecture
        .parameters()
        .forEach(
            (name, shape) -> {
              float[] value = new float[(int) Arrays.stream(shape).reduce(1, Math::multiplyExact)];
              boolean gamma = name.contains("norm") && name.endsWith("weight");
              for (int i = 0; i < value.length; i++) {
                value[i] = (gamma ? 1 : 0) + 0.3f * (float) random.nextGaussian();
              }
              values.put(name, value);
            });
    return new FloatWeights(values, Map.of());
  }

  private static float[] picture(Architecture architecture) {
    Random random = new Random(8);
    float[] picture = new float[architecture.pixels()];
    for (int i = 0; i < picture.length; i++) {
      picture[i] = (float) Math.sin(0.02 * i) + 0.3f * (float) random.nextGaussian();
    }
    return picture;
  }

  private static IntegerGraph graph(
      Architecture architecture, FloatWeights weights, float[] picture) {
    Scheme scheme = Scheme.EXACT.withNormEpsilon(true);
    ObservingForward observing =
        new ObservingForward(
            architecture, weights, scheme, new PortableMatrixProducts(), new PublishedObserver());
    observing.run(picture, 1);
    return GraphBuilder.build(architecture, weights, scheme, observing.ranges());
  }

  /** Were the values of a node in another order, it would be all noise. */
  @ParameterizedTest
  @FieldSource("NAMES")
  void everyNodeIsComparedInItsOwnOrder(String name) {
    Architecture architecture = FamilyModels.architecture(name);
    FloatWeights weights = weights(architecture);
    float[] picture = picture(architecture);
    Diagnosis diagnosis =
        Diagnosis.of(
            graph(architecture, weights, picture),
            weights,
            Outputs.of(architecture, new float[architecture.classes()]),
            new int[1],
            List.of(picture),
            n -> {});
    assertThat(diagnosis.nodes())
        .extracting(NodeDiagnosis::node)
        .containsExactlyElementsOf(architecture.nodes().keySet());
    for (NodeDiagnosis node : diagnosis.nodes()) {
      assertThat(node.decibels()).as(node.node()).isGreaterThan(15);
      assertThat(node.cost()).as(node.node()).isBetween(0.0, 0.01);
    }
  }
}
