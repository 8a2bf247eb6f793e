package org.ivit.core.engine.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.function.Consumer;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.core.calibration.ObservingForward;
import org.ivit.core.calibration.PublishedObserver;
import org.ivit.core.cuda.EmulatedDevice;
import org.ivit.core.engine.jni.KernelSets;
import org.ivit.core.engine.jni.NativeEngine;
import org.ivit.core.engine.jni.NativeLibrary;
import org.ivit.core.engine.jni.RefusedGraphException;
import org.ivit.core.engine.portable.PortableEngine;
import org.ivit.core.engine.portable.PortableMatrixProducts;
import org.ivit.core.engine.reference.ReferenceEngine;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.graph.build.GraphBuilder;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.core.pretrained.PretrainedModel;
import org.ivit.core.scheme.Scheme;
import org.ivit.core.testing.Shared;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** Every engine gives the same integers on the golden weights of each family. */
class GoldenFamiliesTest {
  private static final int PICTURES = 3;

  @SuppressWarnings("unused")
  static final List<String> FAMILIES =
      List.of(
          "vit_headless",
          "vit_headless_avg",
          "vit_headless_avg_fcnorm",
          "deit3",
          "dinov2",
          "dinov2_reg4",
          "clip_quickgelu",
          "clip_laion",
          "sbb_reg4_gap",
          "sbb_reg1_gap_posreg",
          "siglip_map",
          "siglip_gap",
          "flexivit",
          "beit",
          "dinov2_swiglu",
          "dinov3",
          "dinov3_plus_qkvb",
          "eva02");

  @ParameterizedTest
  @FieldSource("FAMILIES")
  void enginesAgree(String family) throws RefusedGraphException {
    String folder = "golden/families/" + family;
    Consumer<String> nobody = said -> {};
    PretrainedModel model = PretrainedModel.open(Shared.path(folder), nobody);
    Architecture architecture = model.architecture();
    FloatWeights weights = FloatWeights.of(model.weights().tensors());
    Scheme scheme = Scheme.EXACT.withNormEpsilon(true);
    float[] pixels = Shared.tensors(folder + "/float.safetensors").get("images").floats();
    ObservingForward observing =
        new ObservingForward(
            architecture, weights, scheme, new PortableMatrixProducts(), new PublishedObserver());
    observing.run(pixels, PICTURES);
    IntegerGraph graph = GraphBuilder.build(architecture, weights, scheme, observing.ranges());
    byte[] codes = Quantizer.codes8("pixels", pixels, graph.inputScale());
    int[] expected;
    try (ReferenceEngine reference = new ReferenceEngine(graph)) {
      expected = reference.logits(codes, PICTURES);
    }
    try (PortableEngine engine = new PortableEngine(graph)) {
      assertThat(engine.logits(codes, PICTURES)).isEqualTo(expected);
    }
    for (String kernels : KernelSets.all()) {
      if (NativeLibrary.unavailable(kernels) == null) {
        try (NativeEngine engine = new NativeEngine(graph, WorkerPool.shared(), kernels, "test")) {
          assertThat(engine.logits(codes, PICTURES)).as(kernels).isEqualTo(expected);
        }
      }
    }
    EmulatedDevice device = new EmulatedDevice(132, CudaEngineTest.SHARED_BYTES);
    try (CudaEngine engine = new CudaEngine(graph, device, "test")) {
      assertThat(engine.logits(codes, PICTURES)).isEqualTo(expected);
    }
  }
}
