package org.ivit.train.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import org.deeplearning4j.gradientcheck.GradientCheckUtil;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.util.ModelSerializer;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Answer;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Head;
import org.ivit.core.architecture.Norm;
import org.ivit.core.architecture.Part;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.core.engine.reference.ReferenceEngine;
import org.ivit.core.family.Swin;
import org.ivit.core.family.Vit;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.core.testing.GoldenModel;
import org.ivit.core.testing.InlineDescription;
import org.ivit.train.gpu.MicroCase;
import org.ivit.train.gpu.TrainingCase;
import org.ivit.train.memory.RealType;
import org.ivit.train.operator.RangeMode;
import org.ivit.train.step.MicroBatch;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.schedule.FixedSchedule;

class TransformerNetworkTest {
  @SuppressWarnings("unused")
  static final List<String> MODELS = GoldenModel.NAMES;

  private static final WorkerPool POOL = new WorkerPool(2);

  @AfterAll
  static void closePool() {
    POOL.close();
  }

  private static TransformerNetwork quantized(GoldenModel model) {
    TransformerNetwork network =
        TransformerNetwork.build(
            NetworkOptions.inference(model.architecture(), model.scheme()), POOL);
    network.load(model.weights());
    network.ranges(model.ranges());
    return network;
  }

  @ParameterizedTest
  @ValueSource(strings = {"micro_vit", "micro_swin", "micro_swin_exact", "micro_swin_window7"})
  void floatLogitsEqualTheGoldenFloat64Model(String name) {
    GoldenModel model = new GoldenModel(name);
    int pictures = model.pictures();
    double[] golden = model.file("float").get("logits").doubles();
    NetworkOptions options = NetworkOptions.inference(model.architecture(), null);
    TransformerNetwork wide = TransformerNetwork.build(options.withType(RealType.FLOAT64), POOL);
    wide.load(model.weights());
    assertClose(wide.logits(model.evalPixels(), pictures), golden, 1e-10);
    TransformerNetwork single = TransformerNetwork.build(options, POOL);
    single.load(model.weights());
    assertClose(single.logits(model.evalPixels(), pictures), golden, 2e-5);
  }

  /** The golden classifiers on what the same network answers without them. */
  @ParameterizedTest
  @ValueSource(strings = {"micro_vit", "micro_swin", "micro_swin_window7"})
  void aHeadlessNetworkAnswersWhatItsClassifierReads(String name) {
    GoldenModel model = new GoldenModel(name);
    int pictures = model.pictures();
    Architecture headless = headless(model.architecture());
    NetworkOptions options = NetworkOptions.inference(headless, null);
    TransformerNetwork network = TransformerNetwork.build(options.withType(RealType.FLOAT64), POOL);
    network.load(model.weights());
    double[] features = network.logits(model.evalPixels(), pictures);
    String classifier = model.architecture().head().classifiers().get(0);
    float[] weight = model.weights().get(classifier + ".weight");
    float[] bias = model.weights().get(classifier + ".bias");
    int dim = headless.classes();
    double[] logits = new double[pictures * bias.length];
    for (int i = 0; i < logits.length; i++) {
      logits[i] = bias[i % bias.length];
      for (int c = 0; c < dim; c++) {
        logits[i] += weight[i % bias.length * dim + c] * features[i / bias.length * dim + c];
      }
    }
    assertClose(logits, model.file("float").get("logits").doubles(), 1e-10);
  }

  private static Architecture headless(Architecture architecture) {
    List<Part> parts = new ArrayList<>(architecture.parts());
    Head head = (Head) parts.remove(parts.size() - 1);
    int dim = head.dim();
    if (head.pooled()) {
      parts.add(new Head(head.tokens(), dim, true, dim, List.of(), head.epsilon()));
    } else {
      parts.add(new Norm(Head.NORM, 1, dim, head.epsilon()));
      parts.add(Head.ofFirstToken(1, dim));
    }
    return new Architecture(architecture.family(), architecture.name(), parts);
  }

  private static void assertClose(double[] found, double[] expected, double tolerance) {
    double largest = Arrays.stream(expected).map(Math::abs).max().orElseThrow();
    for (int i = 0; i < expected.length; i++) {
      assertThat(Math.abs(found[i] - expected[i])).isLessThanOrEqualTo(tolerance * largest);
    }
  }

  @ParameterizedTest
  @FieldSource("MODELS")
  void integerLogitsEqualGoldenTraceAndReferenceEngine(String name) {
    GoldenModel model = new GoldenModel(name);
    TransformerNetwork network = quantized(model);
    int pictures = model.pictures();
    int[] logits = network.integerLogits(model.evalPixels(), pictures);
    assertThat(logits).isEqualTo(model.file("trace").get("head").ints());
    IntegerGraph graph = network.integerGraph();
    try (ReferenceEngine engine = new ReferenceEngine(graph)) {
      assertThat(engine.logits(model.evalCodes(graph), pictures)).isEqualTo(logits);
    }
    assertThat(network.logitScale()).isEqualTo(graph.logitScale());
  }

  @ParameterizedTest
  @MethodSource("org.ivit.train.gpu.MicroCase#families")
  void integerAnswersOfEveryFamilyEqualTheReferenceEngine(MicroCase c) {
    TrainingCase start = c.start();
    TransformerNetwork network =
        TransformerNetwork.build(NetworkOptions.inference(c.architecture(), c.scheme()), POOL);
    network.load(start.weights());
    network.ranges(start.ranges());
    MicroBatch pictures = start.steps().get(0).batches().get(0);
    float[] pixels = pictures.images().pixels();
    int[] answer = network.integerLogits(pixels, pictures.pictures());
    IntegerGraph graph = network.integerGraph();
    try (ReferenceEngine engine = new ReferenceEngine(graph)) {
      byte[] codes = Quantizer.codes8("pixels", pixels, graph.inputScale());
      assertThat(engine.logits(codes, pictures.pictures())).isEqualTo(answer);
    }
    assertThat(network.logitScale()).isEqualTo(graph.logitScale());
    assertThat(of(network, network.graph().clone()).integerLogits(pixels, pictures.pictures()))
        .isEqualTo(answer);
    network
        .weights()
        .values()
        .forEach(
            (name, values) -> assertThat(values).as(name).isEqualTo(start.weights().get(name)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"micro_vit_outliers", "micro_swin_window7"})
  void answersTheSameAfterJsonCloneAndSerialization(String name, @TempDir Path folder)
      throws IOException {
    GoldenModel model = new GoldenModel(name);
    int pictures = model.pictures();
    TransformerNetwork network = quantized(model);
    int[] logits = network.integerLogits(model.evalPixels(), pictures);

    ComputationGraphConfiguration json =
        ComputationGraphConfiguration.fromJson(network.graph().getConfiguration().toJson());
    ComputationGraph fromJson = new ComputationGraph(json);
    fromJson.init(network.graph().params(), true);
    assertThat(of(network, fromJson).integerLogits(model.evalPixels(), pictures)).isEqualTo(logits);

    assertThat(of(network, network.graph().clone()).integerLogits(model.evalPixels(), pictures))
        .isEqualTo(logits);

    Path file = folder.resolve("network.zip");
    ModelSerializer.writeModel(network.graph(), file.toFile(), true);
    ComputationGraph restored = ModelSerializer.restoreComputationGraph(file.toFile(), true);
    TransformerNetwork again = of(network, restored);
    assertThat(again.integerLogits(model.evalPixels(), pictures)).isEqualTo(logits);
    assertThat(again.ranges()).isEqualTo(network.ranges());
  }

  private static TransformerNetwork of(TransformerNetwork like, ComputationGraph graph) {
    return TransformerNetwork.of(like.options(), graph, POOL);
  }

  @ParameterizedTest
  @ValueSource(strings = {"micro_vit", "micro_swin"})
  void weightsAndRangesComeBackAsTheyWereSet(String name) {
    GoldenModel model = new GoldenModel(name);
    TransformerNetwork network = quantized(model);
    FloatWeights expected = model.weights();
    FloatWeights found = network.weights();
    assertThat(found.values().keySet())
        .containsExactlyElementsOf(model.architecture().parameters().keySet());
    found.values().forEach((n, v) -> assertThat(v).as(n).isEqualTo(expected.get(n)));
    assertThat(network.ranges()).isEqualTo(model.ranges());
  }

  @Test
  void namesTheParameterThatIsMissing() {
    GoldenModel model = new GoldenModel("micro_vit");
    FloatWeights weights = model.weights();
    weights.values().remove("blocks.1.mlp.fc2.bias");
    assertThatThrownBy(() -> quantized(model).load(weights))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("blocks.1.mlp.fc2.bias");
  }

  private static Architecture tiny(String options) {
    String base =
        "'kind': 'vit', 'image': 4, 'patch': 2, 'dim': 6, 'depth': 1, 'heads': 2, 'hidden': 9,"
            + " 'classes': 3";
    return InlineDescription.parse(base, options);
  }

  static List<Architecture> tiny() {
    return List.of(
        new Vit("tiny", 4, 2, 6, 2, 2, 9, 3, 1e-6).architecture(),
        new Vit("tiny", 4, 2, 6, 2, 2, 9, 3, 1e-6, true).architecture(),
        new Vit("tiny", 4, 2, 6, 2, 2, 9, 3, 1e-6, false, 2).architecture(),
        new Swin("tiny", 4, 1, 2, 2, List.of(2, 1), List.of(1, 2), 3, 1e-5).architecture(),
        tiny("'classes': 0, 'image': [4, 6]"),
        tiny("'positions': 'patches', 'registers': 1, 'activation': 'quick_gelu'"),
        tiny("'pre_norm': true, 'projection': true, 'activation': 'gelu_tanh'"),
        tiny("'class_token': false, 'registers': 2, 'positions': 'patches', 'pool': 'avg'"),
        tiny("'classes': 0, 'pool': 'avg'"),
        tiny("'pool': 'token_avg', 'registers': 1"),
        tiny("'classes': 0, 'pool': 'avg', 'fc_norm': true"),
        tiny(
            "'image': [4, 6], 'positions': 'none', 'relative_positions': true,"
                + " 'pool': 'avg', 'fc_norm': true"),
        tiny("'classes': 0, 'class_token': false, 'pool': 'map', 'activation': 'gelu_tanh'"),
        tiny("'dim': 8, 'image': [4, 6], 'rotary': 'dinov3', 'mlp': 'swiglu', 'hidden': 3"),
        tiny("'dim': 8, 'rotary': 'cat', 'rotary_grid': 3, 'mlp': 'swiglu_norm', 'hidden': 3"),
        InlineDescription.parse(
            "'kind': 'swin', 'image': [4, 8], 'patch': 1, 'dim': 2, 'window': 2,"
                + " 'depths': [2, 1], 'heads': [1, 2], 'classes': 0"));
  }

  @ParameterizedTest
  @MethodSource("tiny")
  void numericalGradientCheckPassesInFloat64(Architecture tiny) {
    NetworkOptions options = new NetworkOptions(tiny, null, RealType.FLOAT64, 7, null, 0, 0.3, 2);
    TransformerNetwork network = TransformerNetwork.build(options, POOL);
    SplittableRandom random = new SplittableRandom(5);
    INDArray parameters = network.graph().params();
    for (long i = 0; i < parameters.length(); i++) {
      parameters.putScalar(i, parameters.getDouble(i) + 0.3 * random.nextGaussian());
    }
    float[] pixels = new float[2 * tiny.pixels()];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (float) random.nextGaussian();
    }
    // Probabilities and the teacher's, or the teacher's feature.
    int columns = tiny.answer() == Answer.FEATURES ? tiny.classes() : 2 * tiny.classes();
    double[][] targets = new double[2][columns];
    for (double[] row : targets) {
      for (int i = 0; i < row.length; i++) {
        row[i] = random.nextDouble() / tiny.classes();
      }
    }
    INDArray labels = Nd4j.createFromArray(targets);
    Nd4j.setDefaultDataTypes(DataType.DOUBLE, DataType.DOUBLE);
    try {
      assertThat(gradientsAreRight(network, network.array(pixels, 2), labels)).isTrue();
    } finally {
      Nd4j.setDefaultDataTypes(DataType.FLOAT, DataType.FLOAT);
    }
  }

  private static boolean gradientsAreRight(
      TransformerNetwork network, INDArray input, INDArray labels) {
    return GradientCheckUtil.checkGradients(
        new GradientCheckUtil.GraphConfig()
            .net(network.graph())
            .inputs(new INDArray[] {input})
            .labels(new INDArray[] {labels})
            .epsilon(1e-6)
            .maxRelError(1e-5)
            .minAbsoluteError(1e-9));
  }

  /** Deeplearning4j keeps no array of parameters for its pooling. */
  @Test
  void aNetworkWithALayerWithoutParametersLearnsAndComesBack(@TempDir Path folder)
      throws IOException {
    Architecture tiny = tiny("'class_token': false, 'pool': 'avg', 'fc_norm': true");
    AdamW optimizer = new AdamW(new FixedSchedule(1e-2), 0.05, 0.9, 0.999, 1e-8);
    NetworkOptions options =
        new NetworkOptions(tiny, null, RealType.FLOAT32, 7, optimizer, 0, 0, 1);
    TransformerNetwork network = TransformerNetwork.build(options, POOL);
    SplittableRandom random = new SplittableRandom(5);
    float[] pixels = new float[3 * tiny.pixels()];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (float) random.nextGaussian();
    }
    TrainingStep step = new TrainingStep(network, 0);
    MicroBatch batch = new MicroBatch(pixels, targets(3, 3), 3, new long[3]);
    double first = step.run(List.of(batch)).loss();
    double last = first;
    for (int i = 0; i < 30; i++) {
      last = step.run(List.of(batch)).loss();
    }
    assertThat(last).isLessThan(0.5 * first);

    Path file = folder.resolve("network.zip");
    ModelSerializer.writeModel(network.graph(), file.toFile(), true);
    ComputationGraph restored = ModelSerializer.restoreComputationGraph(file.toFile(), true);
    double[] logits = network.logits(pixels, 3);
    assertThat(of(network, restored).logits(pixels, 3)).isEqualTo(logits);
    assertThat(of(network, network.graph().clone()).logits(pixels, 3)).isEqualTo(logits);
    assertThat(of(network, restored).weights().values().keySet())
        .containsExactlyElementsOf(tiny.parameters().keySet());
  }

  private static NetworkOptions trained(GoldenModel model, double stochasticDepth) {
    return new NetworkOptions(
        model.architecture(),
        model.scheme(),
        RealType.FLOAT32,
        3,
        new AdamW(new FixedSchedule(1e-3), 0.05, 0.9, 0.999, 1e-8),
        stochasticDepth,
        0,
        1);
  }

  private static TransformerNetwork trainable(GoldenModel model, double stochasticDepth) {
    TransformerNetwork network = TransformerNetwork.build(trained(model, stochasticDepth), POOL);
    network.load(model.weights());
    network.ranges(model.ranges());
    return network;
  }

  private static float[] targets(int pictures, int classes) {
    float[] targets = new float[pictures * classes];
    for (int n = 0; n < pictures; n++) {
      targets[n * classes + n % classes] = 1;
    }
    return targets;
  }

  @Test
  void aStepEqualsFit() {
    GoldenModel model = new GoldenModel("micro_vit_exact");
    TransformerNetwork byFit = trainable(model, 0);
    TransformerNetwork byStep = trainable(model, 0);
    float[] pixels = model.evalPixels();
    float[] targets = targets(4, 10);
    TrainingStep step = new TrainingStep(byStep, 0);
    for (int i = 0; i < 3; i++) {
      byFit
          .graph()
          .fit(
              new MultiDataSet(
                  byFit.array(pixels, 4), Nd4j.createFromArray(targets).reshape('c', 4, 10)));
      step.run(List.of(new MicroBatch(pixels, targets, 4, new long[4])));
    }
    assertThat(byStep.graph().params().toFloatVector())
        .isEqualTo(byFit.graph().params().toFloatVector());
    assertThat(byStep.ranges()).isEqualTo(model.ranges());
    assertThat(byStep.weights().get("blocks.0.mlp.fc1.weight"))
        .isNotEqualTo(model.weights().get("blocks.0.mlp.fc1.weight"));
  }

  @Test
  void stepsLowerTheLossWhichLeavesWeightDecayOut() {
    GoldenModel model = new GoldenModel("micro_vit_exact");
    TransformerNetwork network = trainable(model, 0);
    TrainingStep step = new TrainingStep(network, 0);
    MicroBatch batch = new MicroBatch(model.evalPixels(), targets(4, 10), 4, new long[4]);
    double first = step.run(List.of(batch)).loss();
    double[] logits = new double[40];
    int[] golden = model.file("trace").get("head").ints();
    for (int i = 0; i < 40; i++) {
      logits[i] = golden[i] * (double) network.logitScale();
    }
    double expected = 0;
    for (int n = 0; n < 4; n++) {
      double sum = 0;
      for (int c = 0; c < 10; c++) {
        sum += Math.exp(logits[n * 10 + c]);
      }
      expected += (Math.log(sum) - logits[n * 10 + n]) / 4;
    }
    assertThat(first).isCloseTo(expected, org.assertj.core.data.Offset.offset(1e-5));
    double last = first;
    for (int i = 0; i < 20; i++) {
      last = step.run(List.of(batch)).loss();
    }
    assertThat(last).isLessThan(0.5 * first);
  }

  private static MicroBatch batch(float[] pixels, float[] targets, int pictures) {
    return new MicroBatch(pixels, targets, pictures, new long[pictures]);
  }

  @ParameterizedTest
  @ValueSource(strings = {"micro_vit", "micro_swin"})
  void accumulationSeesWhatOneBatchSees(String name) {
    GoldenModel model = new GoldenModel(name);
    TransformerNetwork whole = trainable(model, 0);
    TransformerNetwork halves = trainable(model, 0);
    whole.rangeMode(RangeMode.LAGGED);
    halves.rangeMode(RangeMode.LAGGED);
    float[] pixels = model.evalPixels();
    int pictures = model.pictures();
    float[] targets = targets(pictures, 10);
    int first = pictures / 2;
    int cut = first * (pixels.length / pictures);
    var one = new TrainingStep(whole, 0).run(List.of(batch(pixels, targets, pictures)));
    var two =
        new TrainingStep(halves, 0)
            .run(
                List.of(
                    batch(Arrays.copyOf(pixels, cut), Arrays.copyOf(targets, first * 10), first),
                    batch(
                        Arrays.copyOfRange(pixels, cut, pixels.length),
                        Arrays.copyOfRange(targets, first * 10, targets.length),
                        pictures - first)));
    assertThat(two.seen()).isEqualTo(one.seen());
    assertThat(one.seen()).hasSameSizeAs(model.ranges());
    assertThat(two.loss()).isCloseTo(one.loss(), org.assertj.core.data.Offset.offset(1e-6));
    assertThat(two.gradientNorm())
        .isCloseTo(one.gradientNorm(), org.assertj.core.data.Percentage.withPercentage(1e-3));
  }

  @Test
  void clippingBoundsTheUpdateOfPlainDescent() {
    GoldenModel model = new GoldenModel("micro_vit");
    TransformerNetwork network = trainable(model, 0);
    TrainingStep step = new TrainingStep(network, 1e-3);
    MicroBatch batch = new MicroBatch(model.evalPixels(), targets(4, 10), 4, new long[4]);
    double norm = step.run(List.of(batch)).gradientNorm();
    assertThat(norm).isGreaterThan(1e-3);
    // Adam's first moment after one step from zero is (1 − β1) times the clipped mean gradient.
    double moment =
        network.graph().getUpdater().getUpdaterStateViewArray().norm1Number().doubleValue();
    assertThat(moment).isPositive();
    float[] first = network.graph().getUpdater().getUpdaterStateViewArray().toFloatVector();
    double squares = 0;
    for (float value : first) {
      squares += (double) value * value;
    }
    assertThat(Math.sqrt(squares))
        .isCloseTo(0.1 * 1e-3, org.assertj.core.data.Percentage.withPercentage(0.1));
  }

  @ParameterizedTest
  @ValueSource(strings = {"micro_vit", "micro_swin"})
  void stochasticDepthFollowsThePicturesKeysAndSparesEvaluation(String name) {
    GoldenModel model = new GoldenModel(name);
    int pictures = model.pictures();
    TransformerNetwork network = trainable(model, 0.9);
    assertThat(network.integerLogits(model.evalPixels(), pictures))
        .isEqualTo(model.file("trace").get("head").ints());
    List<Double> losses =
        java.util.stream.LongStream.range(0, 6)
            .mapToObj(
                key ->
                    new TrainingStep(trainable(model, 0.9), 0)
                        .run(
                            List.of(
                                new MicroBatch(
                                    model.evalPixels(),
                                    targets(pictures, 10),
                                    pictures,
                                    Arrays.copyOf(
                                        new long[] {key / 2, 10 + key / 2, 20 + key / 2, 30},
                                        pictures))))
                        .loss())
            .collect(Collectors.toList());
    assertThat(losses.get(0)).isEqualTo(losses.get(1));
    assertThat(losses.get(2)).isEqualTo(losses.get(3));
    assertThat(losses.stream().distinct().count()).isGreaterThan(1);
  }
}
