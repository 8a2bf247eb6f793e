package org.ivit.export.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import ai.onnxruntime.OrtException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.arithmetic.Dyadic;
import org.ivit.core.arithmetic.DyadicVector;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.ILayerNorm;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.PixelTable;
import org.ivit.core.arithmetic.SoftmaxForm;
import org.ivit.core.engine.reference.ReferenceEngine;
import org.ivit.core.family.Vit;
import org.ivit.core.graph.Gating;
import org.ivit.core.graph.GraphPart;
import org.ivit.core.graph.IntegerBlock;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.graph.IntegerNorm;
import org.ivit.core.graph.LayerNorm;
import org.ivit.core.graph.Rotation;
import org.ivit.core.image.Preprocess;
import org.ivit.core.scheme.Scheme;
import org.ivit.core.testing.FamilyModels;
import org.ivit.core.testing.GoldenModel;
import org.ivit.core.testing.ObservedModel;
import org.ivit.core.testing.RandomFamilies;
import org.ivit.core.testing.RandomGrids;
import org.ivit.core.testing.RandomSwin;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.ValueSource;

/** ONNX Runtime computes the reference engine's integers from the same pixels. */
class IntegerOnnxTest {
  static final List<String> FAMILIES = FloatOnnxTest.FAMILIES;

  private static final int PICTURES = 3;

  private static void same(IntegerGraph graph, long seed) throws OrtException {
    Architecture architecture = graph.architecture();
    int size = architecture.image().area();
    Random random = new Random(seed);
    byte[] planes = new byte[PICTURES * 3 * size];
    random.nextBytes(planes);
    byte[] rgb = new byte[planes.length];
    for (int i = 0; i < planes.length; i++) {
      int picture = i / (3 * size);
      rgb[3 * (picture * size + i % size) + i / size % 3] = planes[i];
    }
    OnnxDescription description = FloatOnnxTest.description(architecture);
    Preprocess preprocess = description.preprocess();
    byte[] codes =
        PixelTable.of(preprocess.mean(), preprocess.std(), graph.inputScale()).apply(rgb, PICTURES);
    int[] expected;
    try (ReferenceEngine engine = new ReferenceEngine(graph)) {
      expected = engine.logits(codes, PICTURES);
    }
    try (Ort ort = new Ort(OnnxExport.integer(graph, description), architecture.image())) {
      assertThat(ort.logits(planes, PICTURES)).isEqualTo(expected);
      assertThat(ort.logits(Arrays.copyOf(planes, 3 * size), 1))
          .isEqualTo(Arrays.copyOf(expected, architecture.classes()));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "micro_vit",
        "micro_vit_row",
        "micro_vit_exact",
        "micro_vit_outliers",
        "micro_swin",
        "micro_swin_exact",
        "micro_swin_window7"
      })
  void goldenModels(String name) throws OrtException {
    same(new GoldenModel(name).graph(), 1);
  }

  @ParameterizedTest
  @FieldSource("FAMILIES")
  void families(String name) throws OrtException {
    Architecture architecture = FamilyModels.architecture(name);
    List<Scheme> schemes = FamilyModels.schemes(architecture);
    int other = 1 + FAMILIES.indexOf(name) % (schemes.size() - 1);
    for (Scheme scheme : List.of(schemes.get(0), schemes.get(other))) {
      same(ObservedModel.graph(architecture, scheme, new Random(6)), 7);
    }
  }

  /** The codes that indices decode to. */
  @ParameterizedTest
  @FieldSource("FAMILIES")
  void weightsOfFewerBits(String name) throws OrtException {
    Architecture architecture = FamilyModels.architecture(name);
    Random random = new Random(name.hashCode());
    same(
        ObservedModel.ofFewerBits(
            architecture,
            FamilyModels.schemes(architecture).get(0),
            random,
            layer ->
                random.nextInt(6) > 0
                    ? RandomGrids.of(random, layer.outputs(), layer.inputs())
                    : null),
        11);
  }

  /** Up to the largest epsilon there is, roots are exact. */
  @ParameterizedTest
  @ValueSource(longs = {1, 1L << 30, (1L << 42) + 12345, 1L << 60})
  void epsilons(long epsilon) throws OrtException {
    Architecture architecture = FamilyModels.architecture("dino");
    IntegerGraph graph = ObservedModel.graph(architecture, Scheme.EXACT, new Random(6));
    List<GraphPart> parts = new ArrayList<>(graph.parts());
    int last = parts.size() - 2;
    IntegerNorm norm = (IntegerNorm) parts.get(last);
    LayerNorm node = norm.norm();
    ILayerNorm.Constants old = node.constants();
    ILayerNorm.Constants constants =
        new ILayerNorm.Constants(old.multiplier(), old.offset(), old.shift(), epsilon);
    parts.set(
        last,
        new IntegerNorm(
            norm.part(),
            new LayerNorm(
                node.name(),
                node.channels(),
                constants,
                node.outputOutliers(),
                node.outputScale())));
    same(new IntegerGraph(architecture, graph.scheme(), graph.inputScale(), parts), 8);
  }

  @Test
  void registers() throws OrtException {
    Architecture vit = new Vit("small", 12, 4, 12, 2, 3, 20, 5, 1e-6, false, 4).architecture();
    same(ObservedModel.graph(vit, Scheme.EXACT, new Random(3)), 2);
  }

  @Property(tries = 12)
  void vits(
      @ForAll @IntRange(min = 0) int seed,
      @ForAll GeluForm gelu,
      @ForAll SoftmaxForm softmax,
      @ForAll boolean narrow,
      @ForAll boolean distilled)
      throws OrtException {
    Random random = new Random(seed);
    int patch = 1 + random.nextInt(4);
    int heads = 1 + random.nextInt(3);
    Architecture vit =
        new Vit(
                "random",
                patch * (1 + random.nextInt(5)),
                patch,
                heads * (1 + random.nextInt(9)),
                1 + random.nextInt(2),
                heads,
                1 + random.nextInt(40),
                1 + random.nextInt(9),
                1e-6,
                distilled)
            .architecture();
    TreeMap<String, OutlierChannels> sets = new TreeMap<>();
    if (random.nextBoolean() && vit.stem().dim() > 3) {
      sets.put("blocks.0.norm1", new OutlierChannels(new int[] {0, vit.stem().dim() - 1}, 3));
      sets.put("blocks.0.attn.context", new OutlierChannels(new int[] {1}, 1));
      sets.put("norm", new OutlierChannels(new int[] {2}, 6));
      // A range is of the other channels, so there must be one.
      if (gelu.isErf() && vit.blocks().get(0).hidden() > 1) {
        OutlierChannels hidden =
            new OutlierChannels(new int[] {vit.blocks().get(0).hidden() - 1}, 2);
        sets.put("blocks.0.mlp.fc1", hidden);
        sets.put("blocks.0.mlp.act", hidden);
      }
    }
    Scheme scheme = ObservedModel.scheme(gelu, softmax, narrow, sets);
    same(ObservedModel.graph(vit, scheme, random), seed);
  }

  @Property(tries = 12)
  void rotaryPositionsAndGates(@ForAll @IntRange(min = 0) int seed, @ForAll SoftmaxForm softmax)
      throws OrtException {
    same(rotaryOrGated(seed, softmax), seed);
  }

  /** The largest multipliers, and shifts by which codes reach their ends or vanish. */
  @ParameterizedTest
  @ValueSource(bytes = {34, 45, 53, 62})
  void extremesOfRotaryPositionsAndGates(byte shift) throws OrtException {
    for (String name : FamilyModels.ROTARY_OR_GATED) {
      Architecture architecture = FamilyModels.architecture(name);
      IntegerGraph graph = ObservedModel.graph(architecture, Scheme.EXACT, new Random(6));
      List<GraphPart> parts = new ArrayList<>(graph.parts());
      parts.replaceAll(part -> part instanceof IntegerBlock block ? extreme(block, shift) : part);
      same(new IntegerGraph(architecture, graph.scheme(), graph.inputScale(), parts), 9);
    }
  }

  private static IntegerBlock extreme(IntegerBlock block, byte shift) {
    Rotation rotation = block.rotation();
    if (rotation != null) {
      Dyadic largest = new Dyadic(Integer.MAX_VALUE, shift);
      rotation = new Rotation(rotation.name(), rotation.turns(), largest, rotation.outputScale());
    }
    Gating gating = block.gating();
    if (gating != null) {
      int[] multipliers = new int[gating.product().size()];
      byte[] shifts = new byte[multipliers.length];
      Arrays.fill(multipliers, Integer.MAX_VALUE);
      Arrays.fill(shifts, shift);
      DyadicVector largest = new DyadicVector(multipliers, shifts);
      gating =
          new Gating(
              gating.name(),
              gating.table(),
              largest,
              gating.outputOutliers(),
              gating.bits(),
              gating.outputScale());
    }
    return new IntegerBlock(
        block.part(),
        block.norm1(),
        block.qkv(),
        rotation,
        block.attention(),
        block.proj(),
        block.residual1(),
        block.norm2(),
        block.fc1(),
        block.gelu(),
        block.value(),
        gating,
        block.mlpNorm(),
        block.fc2(),
        block.residual2());
  }

  private static IntegerGraph rotaryOrGated(int seed, SoftmaxForm softmax) {
    Architecture architecture = RandomFamilies.rotaryOrGated(seed);
    Random random = new Random(seed);
    Scheme scheme =
        RandomFamilies.scheme(
            architecture, GeluForm.EXACT, softmax, false, random.nextBoolean(), random);
    return ObservedModel.provedGraph(architecture, scheme, random);
  }

  @Property(tries = 6)
  void swins(
      @ForAll @IntRange(min = 0) int seed,
      @ForAll GeluForm gelu,
      @ForAll SoftmaxForm softmax,
      @ForAll boolean narrow)
      throws OrtException {
    Architecture swin = RandomSwin.of(seed);
    Scheme scheme = ObservedModel.scheme(gelu, softmax, narrow, new TreeMap<>());
    same(ObservedModel.graph(swin, scheme, new Random(seed)), seed);
  }

  @Test
  void holdsNoFloatingPointNumber() {
    IntegerGraph graph = ObservedModel.graph(RandomSwin.of(3), Scheme.EXACT, new Random(2));
    ModelProto model = OnnxExport.integer(graph, FloatOnnxTest.description(graph.architecture()));
    List<Integer> floating =
        List.of(
            DataType.FLOAT.getNumber(),
            DataType.DOUBLE.getNumber(),
            DataType.FLOAT16.getNumber(),
            DataType.BFLOAT16.getNumber());
    assertThat(model.getGraph().getInitializerList())
        .extracting(TensorProto::getDataType)
        .doesNotContainAnyElementsOf(floating);
    assertThat(model.getGraph().getNodeList())
        .filteredOn(node -> node.getOpType().equals("Cast"))
        .extracting(node -> (int) node.getAttribute(0).getI())
        .isNotEmpty()
        .doesNotContainAnyElementsOf(floating);
    assertThat(model.getGraph().getInputList())
        .extracting(IntegerOnnxTest::type)
        .containsExactly(DataType.UINT8.getNumber());
    assertThat(model.getGraph().getOutputList())
        .extracting(IntegerOnnxTest::type)
        .containsExactly(DataType.INT32.getNumber());
  }

  private static int type(ValueInfoProto value) {
    return value.getType().getTensorType().getElemType();
  }

  /** What 64 bits could not hold is refused by name; what never reaches a half is nothing. */
  @Test
  void requantizationsThatMayOverflowAreRefused() {
    IntegerMath math = new IntegerMath(new OnnxGraph("test"));
    DyadicVector dyadic = new DyadicVector(new int[] {5, Integer.MAX_VALUE}, new byte[] {62, 62});
    assertThatThrownBy(
            () -> math.requantize("x", dyadic, new long[] {1 << 20, 1L << 31}, "blocks.0.fc"))
        .isInstanceOf(InputException.class)
        .hasMessage(
            "blocks.0.fc: refused, a requantization may reach 2147483647·2147483648 +"
                + " 2305843009213693952, expected less than 2^62 for ONNX");
    assertThat(math.requantize("x", dyadic, new long[] {1 << 20, 1 << 20}, "blocks.0.fc"))
        .isNotEmpty();
  }
}
