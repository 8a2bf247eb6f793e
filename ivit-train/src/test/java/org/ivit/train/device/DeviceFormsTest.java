package org.ivit.train.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Node;
import org.ivit.core.architecture.NodeKind;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.core.arithmetic.SoftmaxForm;
import org.ivit.core.calibration.NodeValues;
import org.ivit.core.calibration.ObservingForward;
import org.ivit.core.cuda.EmulatedDevice;
import org.ivit.core.engine.PortableMatrixProducts;
import org.ivit.core.engine.reference.ReferenceEngine;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.graph.build.GraphBuilder;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.core.scheme.Range;
import org.ivit.core.scheme.Scheme;
import org.ivit.core.testing.InlineDescription;
import org.ivit.core.testing.ObservedModel;
import org.ivit.train.device.memory.DeviceBuffers;
import org.ivit.train.device.pass.Pass;
import org.ivit.train.device.product.ProductPrecision;
import org.ivit.train.memory.RealType;
import org.ivit.train.memory.Reals;
import org.ivit.train.parameter.NodeRanges;
import org.ivit.train.parameter.ParameterLayout;
import org.ivit.train.parameter.PartSpec;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/**
 * Rotary positions and gated MLPs on emulated kernels: integers beside the reference engine's,
 * ranges beside the calibration's, float gradients beside differences of the float network.
 */
class DeviceFormsTest {
  @SuppressWarnings("unused")
  static final List<String> FORMS =
      List.of(
          "'rotary': 'dinov3', 'registers': 1",
          "'rotary': 'cat', 'rotary_grid': [3, 5], 'positions': 'none'",
          "'mlp': 'swiglu'",
          "'rotary': 'cat', 'mlp': 'swiglu_norm', 'pool': 'avg', 'fc_norm': true");

  private static final int PICTURES = 3;
  private static final WorkerPool POOL = new WorkerPool(2);

  private static Architecture architecture(String form) {
    return InlineDescription.parse(
        "'kind': 'vit', 'image': [8, 12], 'patch': 4, 'dim': 24, 'depth': 2, 'heads': 2,"
            + " 'hidden': 41, 'classes': 5, 'epsilon': 1e-6, "
            + form);
  }

  /** A network on the device and its parameters. */
  private static final class Fixture implements AutoCloseable {
    final Architecture architecture;
    final Reals weights;
    private final List<PartSpec> specs;
    private final List<ParameterLayout> layouts = new ArrayList<>();
    private final List<Map<String, String>> ranges = new ArrayList<>();
    private final EmulatedDevice device = new EmulatedDevice(2, 200_000);
    private final DeviceBuffers memory = new DeviceBuffers(device);
    private final Pass pass;
    private final DeviceNetwork network;
    private final boolean quantized;

    Fixture(Architecture architecture, Scheme scheme, boolean recompute) {
      this.architecture = architecture;
      this.quantized = scheme != null;
      specs = PartSpec.of(architecture, 0);
      int size = 0;
      for (PartSpec spec : specs) {
        NodeRanges nodes = quantized ? NodeRanges.of(spec) : null;
        layouts.add(quantized ? nodes.layout() : spec.parameters());
        ranges.add(quantized ? nodes.keys() : Map.of());
        size += layouts.get(layouts.size() - 1).size();
      }
      weights = Reals.allocate(RealType.FLOAT32, size);
      pass =
          new Pass(
              device,
              memory.of("parameters", size, 4),
              memory.of("gradients", size, 4),
              ProductPrecision.FLOAT32,
              null,
              recompute);
      network = DeviceNetwork.of(pass, architecture, scheme, 0);
      assertThat(network.parts()).hasSameSizeAs(specs);
    }

    private interface Body {
      void accept(String name, int from, int size);
    }

    void eachParameter(Body body) {
      int at = 0;
      for (int part = 0; part < specs.size(); part++) {
        for (ParameterLayout.Entry entry : layouts.get(part).entries()) {
          if (entry.kind().learned()) {
            body.accept(specs.get(part).prefix() + entry.key(), at + entry.from(), entry.size());
          }
        }
        at += layouts.get(part).size();
      }
    }

    void load(FloatWeights values, Map<String, Range> scales) {
      eachParameter((name, from, size) -> put(from, values.get(name)));
      int at = 0;
      for (int part = 0; part < specs.size(); part++) {
        int first = at;
        ParameterLayout layout = layouts.get(part);
        ranges
            .get(part)
            .forEach(
                (key, node) -> {
                  Range range = scales.get(node);
                  put(first + layout.from(key), range.min(), range.max());
                });
        at += layout.size();
      }
      send();
    }

    private void put(int from, float... values) {
      weights.put(from, values, 0, values.length);
    }

    void send() {
      device.write(pass.parameters, bytes(weights.floats()));
    }

    /** The answer, codes or bits of float32. */
    ByteBuffer forward(float[] pixels) {
      pass.beginStep(true);
      network.prepare(pass, weights, POOL);
      pass.beginBatch(new long[PICTURES], false);
      network.draw(pass);
      int at = pass.inputs.floats(pixels);
      pass.inputs.send();
      long answer = network.forward(pass, pass.inputs.at(at), PICTURES);
      return read(PICTURES * architecture.classes(), answer);
    }

    float[] gradients(float[] byAnswer) {
      pass.clear(pass.gradients, weights.size());
      long gradient = memory.of("gAnswer", byAnswer.length, 4);
      device.write(gradient, bytes(byAnswer));
      network.backward(pass, gradient, PICTURES);
      float[] found = new float[weights.size()];
      read(found.length, pass.gradients).asFloatBuffer().get(found);
      return found;
    }

    SortedMap<String, Range> seen() {
      return network.seen(pass);
    }

    private ByteBuffer read(int words, long from) {
      ByteBuffer bytes = ByteBuffer.allocateDirect(4 * words).order(ByteOrder.nativeOrder());
      device.read(bytes, from);
      return bytes;
    }

    private static ByteBuffer bytes(float[] values) {
      ByteBuffer bytes =
          ByteBuffer.allocateDirect(4 * values.length).order(ByteOrder.nativeOrder());
      bytes.asFloatBuffer().put(values);
      return bytes;
    }

    @Override
    public void close() {
      network.close();
      pass.close();
      memory.close();
      assertThat(device.live()).isZero();
    }
  }

  private static float[] normal(Random random, int n) {
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private static Scheme scheme(Architecture architecture) {
    TreeMap<String, OutlierChannels> outliers = new TreeMap<>();
    for (Node node : architecture.nodes().values()) {
      if (node.kind().mayHaveOutliers() && node.kind() != NodeKind.HIDDEN) {
        outliers.put(node.name(), new OutlierChannels(new int[] {0, 7}, 2));
      }
    }
    return new Scheme(GeluForm.EXACT, SoftmaxForm.EXACT, 16, outliers, true);
  }

  private static Range extremes(NodeValues values) {
    float min = Float.POSITIVE_INFINITY;
    float max = Float.NEGATIVE_INFINITY;
    for (float v : values.included()) {
      min = Math.min(min, v);
      max = Math.max(max, v);
    }
    return new Range(min, max);
  }

  @ParameterizedTest
  @FieldSource("FORMS")
  void computesTheIntegersOfTheEngineAndTheRangesOfTheCalibration(String form) {
    Architecture architecture = architecture(form);
    Scheme scheme = scheme(architecture);
    Random random = new Random(form.hashCode());
    FloatWeights weights = ObservedModel.weights(architecture, random);
    float[] pixels = normal(random, PICTURES * architecture.pixels());
    ObservingForward calibration =
        new ObservingForward(
            architecture, weights, scheme, new PortableMatrixProducts(), DeviceFormsTest::extremes);
    calibration.run(pixels, PICTURES);
    SortedMap<String, Range> ranges = calibration.ranges();
    IntegerGraph graph = GraphBuilder.build(architecture, weights, scheme, ranges);
    byte[] codes =
        Quantizer.codes8("pixels", pixels, scheme.scale(Node.INPUT, ranges.get("input")));
    int[] expected;
    try (ReferenceEngine reference = new ReferenceEngine(graph)) {
      expected = reference.logits(codes, PICTURES);
    }
    try (Fixture fixture = new Fixture(architecture, scheme, form.contains("registers"))) {
      fixture.load(weights, ranges);
      int[] found = new int[expected.length];
      fixture.forward(pixels).asIntBuffer().get(found);
      assertThat(found).isEqualTo(expected);
      assertThat(fixture.seen()).isEqualTo(ranges);
    }
  }

  @ParameterizedTest
  @FieldSource("FORMS")
  void goesBackAsTheFloatNetworkChanges(String form) {
    Architecture architecture = architecture(form);
    Random random = new Random(form.hashCode());
    FloatWeights weights = ObservedModel.weights(architecture, random);
    weights.values().values().forEach(DeviceFormsTest::shrink);
    float[] pixels = normal(random, PICTURES * architecture.pixels());
    float[] byAnswer = normal(random, PICTURES * architecture.classes());
    try (Fixture fixture = new Fixture(architecture, null, form.contains("registers"))) {
      fixture.load(weights, Map.of());
      fixture.forward(pixels);
      float[] gradients = fixture.gradients(byAnswer);
      fixture.eachParameter(
          (name, from, size) ->
              checkDirection(fixture, pixels, byAnswer, gradients, name, from, size));
    }
  }

  private static void shrink(float[] values) {
    for (int i = 0; i < values.length; i++) {
      values[i] *= 0.3f;
    }
  }

  /** Along the gradient by one parameter the loss rises by the gradient's square. */
  private static void checkDirection(
      Fixture fixture,
      float[] pixels,
      float[] byAnswer,
      float[] gradients,
      String name,
      int from,
      int size) {
    double square = 0;
    for (int i = from; i < from + size; i++) {
      square += (double) gradients[i] * gradients[i];
    }
    double length = Math.sqrt(square);
    assertThat(length).as(name).isPositive();
    float step = 0.02f;
    double[] losses = new double[2];
    float[] before = fixture.weights.floats();
    for (int side = 0; side < 2; side++) {
      float[] moved = new float[size];
      for (int i = 0; i < size; i++) {
        moved[i] =
            (float) (before[from + i] + (2 * side - 1) * step * gradients[from + i] / length);
      }
      fixture.put(from, moved);
      fixture.send();
      float[] answer = new float[byAnswer.length];
      fixture.forward(pixels).asFloatBuffer().get(answer);
      for (int i = 0; i < answer.length; i++) {
        losses[side] += (double) answer[i] * byAnswer[i];
      }
    }
    fixture.put(from, Arrays.copyOfRange(before, from, from + size));
    fixture.send();
    assertThat((losses[1] - losses[0]) / (2 * step))
        .as(name)
        .isCloseTo(length, within(0.02 * length));
  }
}
