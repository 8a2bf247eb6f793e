package org.ivit.train.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.deeplearning4j.nn.api.Layer;
import org.ivit.core.architecture.Answer;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Block;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.SoftmaxForm;
import org.ivit.core.calibration.ObservingForward;
import org.ivit.core.calibration.PublishedObserver;
import org.ivit.core.cuda.EmulatedDevice;
import org.ivit.core.engine.portable.PortableMatrixProducts;
import org.ivit.core.family.Swin;
import org.ivit.core.family.Vit;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.core.scheme.Scheme;
import org.ivit.core.testing.InlineDescription;
import org.ivit.core.weight.WeightCoding;
import org.ivit.train.device.product.ProductPrecision;
import org.ivit.train.gpu.MicroCase;
import org.ivit.train.layer.OperatorLayerRuntime;
import org.ivit.train.memory.RealType;
import org.ivit.train.memory.Reals;
import org.ivit.train.nd4j.NdMemory;
import org.ivit.train.network.AdamW;
import org.ivit.train.network.NetworkOptions;
import org.ivit.train.network.TrainingStep;
import org.ivit.train.network.TransformerNetwork;
import org.ivit.train.operator.Loss;
import org.ivit.train.operator.RangeMode;
import org.ivit.train.parameter.GridForm;
import org.ivit.train.parameter.GridPoints;
import org.ivit.train.parameter.GridWeights;
import org.ivit.train.parameter.ParameterLayout;
import org.ivit.train.step.AdamSettings;
import org.ivit.train.step.MicroBatch;
import org.ivit.train.step.StepResult;
import org.ivit.train.step.StepSettings;
import org.ivit.train.step.StepVector;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.schedule.FixedSchedule;

/** Steps on emulated kernels, beside those that Deeplearning4j takes on the processor. */
class DeviceStepTest {
  private static final WorkerPool POOL = new WorkerPool(2);
  private static final double RATE = 1e-3;
  private static final double DECAY = 0.05;

  /**
   * A network.
   *
   * @param drop rate of stochastic depth
   * @param weight of the distillation
   */
  record Case(String name, Architecture architecture, Scheme scheme, double drop, double weight) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Case> cases() {
    Architecture vit = new Vit("vit", 12, 4, 18, 2, 2, 41, 5, 1e-6).architecture();
    Architecture distilled =
        new Vit("distilled", 8, 4, 64, 2, 1, 128, 7, 1e-6, true).architecture();
    Architecture swin =
        new Swin("swin", 16, 2, 2, 6, List.of(1, 2), List.of(1, 2), 3, 1e-5).architecture();
    Architecture shifted =
        new Swin("shifted", 16, 2, 4, 8, List.of(2), List.of(2), 4, 1e-5).architecture();
    Architecture registers =
        new Vit("registers", 12, 4, 18, 2, 2, 41, 5, 1e-6, true, 4).architecture();
    return Stream.of(
        new Case("vit", vit, Scheme.EXACT, 0, 0),
        new Case("registers", registers, Scheme.EXACT, 0.2, 0),
        new Case("vit, outliers", vit, scheme(vit, GeluForm.EXACT, SoftmaxForm.EXACT, 16), 0.4, 0),
        new Case(
            "vit, asymmetric, outliers",
            vit,
            scheme(vit, GeluForm.ASYMMETRIC, SoftmaxForm.EXACT, 8),
            0,
            0.3),
        new Case(
            "distilled, deferred",
            distilled,
            scheme(distilled, GeluForm.EXACT, SoftmaxForm.DEFERRED, 8),
            0.2,
            1),
        new Case(
            "distilled, shift", distilled, Scheme.of(GeluForm.ELEMENT, SoftmaxForm.SHIFT), 0, 0),
        new Case("swin", swin, Scheme.EXACT, 0.3, 0),
        new Case(
            "swin, deferred", swin, scheme(swin, GeluForm.EXACT, SoftmaxForm.DEFERRED, 8), 0, 0.5),
        new Case("shifted windows", shifted, Scheme.EXACT, 0, 0),
        new Case("vit, row", vit, Scheme.of(GeluForm.ROW, SoftmaxForm.SHIFT), 0, 0),
        new Case("vit, float", vit, null, 0.4, 0),
        new Case("distilled, float", distilled, null, 0, 0.4),
        new Case("swin, float", swin, null, 0.3, 0),
        new Case("shifted windows, float", shifted, null, 0, 0));
  }

  /** Networks of today's families, of integers and of floats. */
  static Stream<Case> families() {
    return MicroCase.families().stream()
        .flatMap(
            family ->
                Stream.of(
                    new Case(
                        family.name(), family.architecture(), family.scheme(), family.drop(), 0),
                    new Case(family.name() + ", float", family.architecture(), null, 0.2, 0)));
  }

  /** The rows of scores of a picture of 224 pixels, and a product by a library. */
  static Stream<Case> wide() {
    Architecture beit =
        InlineDescription.parse(
            "'kind': 'vit', 'image': 14, 'patch': 1, 'dim': 8, 'depth': 1, 'heads': 2, 'hidden': 8,"
                + " 'classes': 3, 'positions': 'none', 'relative_positions': true, 'pool': 'avg',"
                + " 'fc_norm': true, 'epsilon': 1e-6");
    Architecture pooled =
        InlineDescription.parse(
            "'kind': 'vit', 'image': 8, 'patch': 2, 'dim': 64, 'depth': 1, 'heads': 4,"
                + " 'hidden': 64, 'classes': 0, 'class_token': false, 'pool': 'map',"
                + " 'epsilon': 1e-6");
    return Stream.of(
        new Case("197 tokens", beit, Scheme.EXACT, 0, 0),
        new Case("197 tokens, float", beit, null, 0, 0),
        new Case("attention pooling by a library", pooled, Scheme.EXACT, 0, 0.3),
        new Case("attention pooling by a library, float", pooled, null, 0, 0.3));
  }

  private static Scheme scheme(
      Architecture architecture, GeluForm gelu, SoftmaxForm softmax, int bits) {
    TreeMap<String, OutlierChannels> outliers = new TreeMap<>();
    Block site = architecture.blocks().get(0);
    int last = site.dim() - 1;
    int[] hidden = {0, site.hidden() - 1};
    outliers.put(site.node("norm1"), new OutlierChannels(new int[] {0, last}, 2));
    outliers.put(site.node("attn.context"), new OutlierChannels(new int[] {1}, 1));
    outliers.put(site.node("mlp.fc1"), new OutlierChannels(hidden, 4));
    outliers.put(site.node("mlp.act"), new OutlierChannels(hidden, 3));
    return new Scheme(gelu, softmax, bits, outliers);
  }

  private final SplittableRandom random = new SplittableRandom(7);

  private static TransformerNetwork network(Case c, Map<String, GridForm> grids) {
    AdamW optimizer = new AdamW(new FixedSchedule(RATE), DECAY, 0.9, 0.999, 1e-8);
    NetworkOptions options =
        new NetworkOptions(
            c.architecture(), c.scheme(), RealType.FLOAT32, 3, optimizer, c.drop(), c.weight(), 2);
    return TransformerNetwork.build(options.withGrids(grids), POOL);
  }

  private MicroBatch batch(Case c, int pictures, long key) {
    int classes = c.architecture().classes();
    boolean taught = c.weight() > 0 && c.architecture().answer() == Answer.CLASSES;
    int columns = taught ? 2 * classes : classes;
    float[] pixels = numbers(pictures * c.architecture().pixels());
    float[] targets = new float[pictures * columns];
    long[] keys = new long[pictures];
    for (int i = 0; i < pictures; i++) {
      keys[i] = key + 31L * i;
      for (int half = 0; half < columns / classes; half++) {
        targets[i * columns + half * classes + i % classes] = 0.75f;
        targets[i * columns + half * classes + (i + 1) % classes] += 0.25f;
      }
    }
    return new MicroBatch(pixels, targets, pictures, keys);
  }

  private float[] numbers(int n) {
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  /** Larger weights than initial ones, so that every node has something to do. */
  private FloatWeights weights(Case c) {
    FloatWeights weights = network(c, Map.of()).weights();
    weights
        .values()
        .forEach(
            (name, values) -> {
              for (int i = 0; i < values.length; i++) {
                values[i] += 0.2f * (float) random.nextGaussian();
              }
            });
    return weights;
  }

  private static void calibrate(Case c, TransformerNetwork network, MicroBatch batch) {
    if (c.scheme() == null) {
      return;
    }
    ObservingForward calibration =
        new ObservingForward(
            c.architecture(),
            network.weights(),
            c.scheme(),
            new PortableMatrixProducts(POOL),
            new PublishedObserver());
    calibration.run(batch.pixels(), batch.pictures());
    network.ranges(calibration.ranges());
    network.rangeMode(RangeMode.LAGGED);
  }

  @ParameterizedTest
  @MethodSource({"cases", "families", "wide"})
  void stepsAsDeeplearning4jDoes(Case c) {
    steps(c, weights(c), Map.of());
  }

  @ParameterizedTest
  @EnumSource
  void learnsGridsAsDeeplearning4jDoes(WeightCoding coding) {
    Case c = cases().filter(each -> each.name().equals("vit, outliers")).findAny().orElseThrow();
    FloatWeights weights = GridWeights.of(weights(c), c.architecture(), coding, 4);
    steps(c, weights, GridPoints.forms(weights.grids(), true));
  }

  private void steps(Case c, FloatWeights weights, Map<String, GridForm> grids) {
    TransformerNetwork network = network(c, grids);
    network.load(weights);
    List<MicroBatch> batches = List.of(batch(c, 3, 11), batch(c, 2, 1 << 20));
    calibrate(c, network, batches.get(0));
    Reals parameters = NdMemory.read(network.graph().params());
    TrainingStep cpu = new TrainingStep(network, 1);
    try (DeviceStep device =
        new DeviceStep(
            new EmulatedDevice(c.name().length() % 4 + 1, 200_000, c.drop() > 0, false),
            c.architecture(),
            c.scheme(),
            new StepSettings(c.drop(), Loss.of(c.architecture(), c.weight(), 2), 0, grids),
            new DeviceOptions(ProductPrecision.FLOAT32, c.weight() > 0, c.drop() > 0),
            null,
            POOL)) {
      assertThat(device.size()).isEqualTo(parameters.size());
      for (int step = 0; step < 2; step++) {
        float[] before = parameters.floats();
        device.write(StepVector.PARAMETERS, bytes(before), 0);
        AdamSettings adam = new AdamSettings(RATE, DECAY, 0.9, 0.999, 1e-8, step, 1);
        Reals host = withoutMatrices(network, parameters);
        StepResult found = device.run(host, batches, c.scheme() != null, adam);
        StepResult expected = cpu.run(batches);
        assertThat(found.seen()).as("step %d", step).isEqualTo(expected.seen());
        assertThat(found.loss()).isCloseTo(expected.loss(), within(1e-5 * expected.loss()));
        assertThat(found.gradientNorm())
            .isCloseTo(expected.gradientNorm(), within(1e-4 * expected.gradientNorm()));
        float[] moved = read(device, parameters.size());
        checkMoved(before, moved, parameters.floats());
        checkVectors(network, host, moved);
        if (c.scheme() != null) {
          network.ranges(Map.copyOf(expected.seen()));
        }
      }
    }
  }

  /** What the host knows of the parameters: all but the matrices. */
  private static Reals withoutMatrices(TransformerNetwork network, Reals parameters) {
    Reals host = Reals.allocate(RealType.FLOAT32, parameters.size());
    host.put(0, parameters, 0, parameters.size());
    forEachRun(network, true, (from, count) -> host.clear(from, count));
    return host;
  }

  private static void checkVectors(TransformerNetwork network, Reals host, float[] device) {
    forEachRun(
        network,
        false,
        (from, count) -> {
          for (int i = from; i < from + count; i++) {
            assertThat((float) host.get(i)).isEqualTo(device[i]);
          }
        });
  }

  private interface Run {
    void accept(int from, int count);
  }

  /** Learned parameters, matrices or all others. */
  private static void forEachRun(TransformerNetwork network, boolean matrices, Run body) {
    int at = 0;
    for (Layer layer : network.graph().getLayers()) {
      if (!(layer instanceof OperatorLayerRuntime runtime)) {
        continue;
      }
      ParameterLayout layout = runtime.operator().layout();
      for (ParameterLayout.Entry entry : layout.entries()) {
        if (entry.kind().learned() && entry.kind().decays() == matrices) {
          body.accept(at + entry.from(), entry.size());
        }
      }
      at += layout.size();
    }
  }

  /** Moves are alike, but for gradients so small that rounding decides their sign. */
  private static void checkMoved(float[] before, float[] found, float[] expected) {
    int unlike = 0;
    double distance = 0;
    double length = 0;
    for (int i = 0; i < before.length; i++) {
      double a = found[i] - before[i];
      double b = expected[i] - before[i];
      distance += (a - b) * (a - b);
      length += b * b;
      unlike += Math.abs(a - b) > 0.01 * RATE ? 1 : 0;
    }
    assertThat(Math.sqrt(distance / length)).isLessThan(0.01);
    assertThat(unlike).isLessThanOrEqualTo(before.length / 200);
  }

  private static ByteBuffer bytes(float[] values) {
    ByteBuffer bytes = ByteBuffer.allocateDirect(4 * values.length).order(ByteOrder.nativeOrder());
    bytes.asFloatBuffer().put(values);
    return bytes;
  }

  private static float[] read(DeviceStep device, int size) {
    ByteBuffer bytes = bytes(new float[size]);
    device.read(StepVector.PARAMETERS, bytes, 0);
    float[] values = new float[size];
    bytes.asFloatBuffer().get(values);
    return values;
  }
}
