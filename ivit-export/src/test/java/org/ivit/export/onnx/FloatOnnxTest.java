package org.ivit.export.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import ai.onnxruntime.OrtException;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.checkpoint.Provenance;
import org.ivit.core.family.Swin;
import org.ivit.core.family.Vit;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.image.Preprocess;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.core.pretrained.PretrainedModel;
import org.ivit.core.scheme.Scheme;
import org.ivit.core.tensor.Tensor;
import org.ivit.core.tensor.TensorFile;
import org.ivit.core.testing.FamilyModels;
import org.ivit.core.testing.GoldenModel;
import org.ivit.core.testing.ObservedModel;
import org.ivit.core.testing.Shared;
import org.ivit.train.network.NetworkOptions;
import org.ivit.train.network.TransformerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The float format gives our float network's logits under ONNX Runtime. */
class FloatOnnxTest {
  static final List<String> FAMILIES = FamilyModels.NAMES;

  static OnnxDescription description(Architecture architecture) {
    Preprocess preprocess = Preprocess.half(architecture.image(), architecture.image());
    return new OnnxDescription(preprocess, List.of(), Provenance.UNKNOWN);
  }

  private static void assertSame(
      Architecture architecture, FloatWeights weights, float[] pixels, int pictures)
      throws OrtException {
    TransformerNetwork network =
        TransformerNetwork.build(NetworkOptions.inference(architecture, null), WorkerPool.shared());
    network.load(weights);
    double[] expected = network.logits(pixels, pictures);
    ModelProto model = OnnxExport.floating(architecture, weights, description(architecture));
    int picture = architecture.pixels();
    try (Ort ort = new Ort(model, architecture.image())) {
      for (int batch : new int[] {pictures, 1}) {
        float[] found = ort.logits(Arrays.copyOf(pixels, batch * picture), batch);
        assertThat(found).hasSize(batch * architecture.classes());
        for (int i = 0; i < found.length; i++) {
          assertThat((double) found[i]).isCloseTo(expected[i], within(1e-4));
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"micro_vit", "micro_swin", "micro_swin_window7"})
  void goldenModel(String name) throws OrtException {
    GoldenModel model = new GoldenModel(name);
    assertSame(model.architecture(), model.weights(), model.evalPixels(), model.pictures());
  }

  @ParameterizedTest
  @FieldSource("FAMILIES")
  void families(String name) throws OrtException {
    random(FamilyModels.architecture(name));
  }

  /** What the source's own code answers, read by what lies beside the weights. */
  @ParameterizedTest
  @CsvSource({
    "vit_headless, pooled",
    "vit_headless_avg, pooled",
    "vit_headless_avg_fcnorm, pooled",
    "deit3, logits",
    "dinov2, pooled",
    "dinov2_reg4, pooled",
    "clip_quickgelu, logits",
    "clip_laion, logits",
    "sbb_reg4_gap, logits",
    "sbb_reg1_gap_posreg, logits",
    "siglip_map, pooled",
    "siglip_gap, pooled",
    "flexivit, logits",
    "beit, logits",
    "dinov3, pooled",
    "dinov3_plus_qkvb, pooled",
    "dinov2_swiglu, pooled",
    "eva02, logits"
  })
  void goldenFamily(String name, String tensor) throws OrtException {
    assertGolden(name, name, "float", tensor, 3);
  }

  /** Places of patches of a picture that is no square. */
  @Test
  void rotaryPositionsOfAnotherShape() throws OrtException {
    assertGolden("dinov3", "dinov3", "float_24x40", "pooled", 1);
  }

  /** The bias of its keys is masked: with rotary positions it would act. */
  @Test
  void maskedBiasOfARelease() throws OrtException {
    assertGolden("release_dinov3_plus", "dinov3_plus_qkvb", "float", "pooled", 3);
  }

  private static void assertGolden(
      String source, String family, String file, String tensor, int pictures) throws OrtException {
    TensorFile golden = Shared.tensors("golden/families/" + family + "/" + file + ".safetensors");
    Tensor images = golden.get("images");
    ObjectNode size = JsonNodeFactory.instance.objectNode();
    size.putArray("image").add(images.shape()[2]).add(images.shape()[3]);
    PretrainedModel model =
        PretrainedModel.open(
            Shared.path("golden/families/" + source),
            new PretrainedModel.Wishes(size, null),
            line -> {});
    Architecture architecture = model.architecture();
    FloatWeights weights = FloatWeights.of(model.weights().tensors());
    double[] expected = golden.get(tensor).doubles();
    ModelProto proto = OnnxExport.floating(architecture, weights, description(architecture));
    try (Ort ort = new Ort(proto, architecture.image())) {
      float[] found = ort.logits(images.floats(), pictures);
      assertThat(found).hasSameSizeAs(expected);
      for (int i = 0; i < found.length; i++) {
        assertThat((double) found[i]).isCloseTo(expected[i], within(2e-5));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"dino", "clip", "siglip", "avg", "swin_headless"})
  void aFeatureIsCalledSo(String name) {
    Architecture architecture = FamilyModels.architecture(name);
    FloatWeights weights = ObservedModel.weights(architecture, new Random(5));
    says(OnnxExport.floating(architecture, weights, description(architecture)), architecture);
    IntegerGraph graph = ObservedModel.graph(architecture, Scheme.EXACT, new Random(5));
    says(OnnxExport.integer(graph, description(architecture)), architecture);
    says(OnnxExport.quantized(graph, QdqWeights.UNSIGNED, description(architecture)), architecture);
  }

  private static void says(ModelProto model, Architecture architecture) {
    ValueInfoProto output = model.getGraph().getOutput(0);
    assertThat(output.getName()).isEqualTo("features");
    assertThat(output.getType().getTensorType().getShape().getDim(1).getDimValue())
        .isEqualTo(architecture.classes());
    assertThat(model.getMetadataPropsList())
        .filteredOn(property -> property.getKey().equals("answer"))
        .extracting(StringStringEntryProto::getValue)
        .containsExactly("features");
  }

  @Test
  void randomVit() throws OrtException {
    random(new Vit("small", 12, 4, 12, 2, 3, 20, 5, 1e-6).architecture());
  }

  @Test
  void randomDistilledVit() throws OrtException {
    random(new Vit("small", 12, 4, 12, 2, 3, 20, 5, 1e-6, true).architecture());
  }

  @Test
  void randomVitWithRegisters() throws OrtException {
    random(new Vit("small", 12, 4, 12, 2, 3, 20, 5, 1e-6, false, 4).architecture());
  }

  @Test
  void randomSwinWithShiftedWindows() throws OrtException {
    random(new Swin("small", 24, 2, 3, 8, List.of(2, 2), List.of(2, 4), 3, 1e-5).architecture());
  }

  private static void random(Architecture architecture) throws OrtException {
    Random random = new Random(5);
    float[] pixels = new float[3 * architecture.pixels()];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (float) random.nextGaussian();
    }
    assertSame(architecture, ObservedModel.weights(architecture, random), pixels, 3);
  }
}
