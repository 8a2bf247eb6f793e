package org.ivit.train.network;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.ivit.core.InputException;
import org.ivit.core.Size;
import org.ivit.core.architecture.Answer;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.graph.build.GraphBuilder;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.core.scheme.Range;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.layer.FeatureLoss;
import org.ivit.train.layer.OperatorLayerRuntime;
import org.ivit.train.layer.SoftTargetLoss;
import org.ivit.train.memory.Reals;
import org.ivit.train.nd4j.NdBackend;
import org.ivit.train.nd4j.NdMemory;
import org.ivit.train.operator.Execution;
import org.ivit.train.operator.LogitOperator;
import org.ivit.train.operator.NetworkParameters;
import org.ivit.train.operator.QuantizedOperator;
import org.ivit.train.operator.RangeMode;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.NoOp;
import org.nd4j.linalg.lossfunctions.ILossFunction;
import org.nd4j.nativeblas.NativeOpsHolder;

/**
 * A vision transformer as a Deeplearning4j network, in floating point or in integers. Parameters go
 * by their timm names, ranges by their node names. Not safe for two threads at once; inside, it
 * uses a pool.
 */
public final class TransformerNetwork {
  private static final String INPUT = "pixels";
  private static final String LOSS = "loss";

  private final NetworkOptions options;
  private final ComputationGraph graph;
  private final Execution execution;
  private final List<Part> parts = new ArrayList<>();

  /** A layer with the prefix of its parameters' timm names. */
  private record Part(String prefix, OperatorLayerRuntime layer) {}

  private TransformerNetwork(NetworkOptions options, ComputationGraph graph, WorkerPool pool) {
    keepNd4jOnOneThread();
    this.options = options;
    this.graph = graph;
    this.execution = new Execution(pool, options.type());
    for (LayerPlan plan : LayerPlan.of(options)) {
      OperatorLayerRuntime layer = (OperatorLayerRuntime) graph.getLayer(plan.name());
      layer.execution(execution);
      parts.add(new Part(plan.prefix(), layer));
    }
  }

  /**
   * The pool does all that is worth several threads. ND4J's own would spin after each of the many
   * small operations of an update and take the processors from it; and a sum by one thread is the
   * same everywhere. On ND4J's CUDA backend the number is one of threads on the GPU, and is left.
   */
  private static void keepNd4jOnOneThread() {
    if (!Nd4j.getEnvironment().isCPU()) {
      return;
    }
    Nd4j.getEnvironment().setMaxMasterThreads(1);
    NativeOpsHolder.getInstance().getDeviceNativeOps().setOmpNumThreads(1);
  }

  /**
   * Builds a network with initial weights and no ranges.
   *
   * @param options sizes, scheme, optimizer
   * @param pool threads
   * @throws InputException as {@link NdBackend#require()}
   */
  public static TransformerNetwork build(NetworkOptions options, WorkerPool pool) {
    ComputationGraph graph = new ComputationGraph(configuration(options));
    graph.init();
    return new TransformerNetwork(options, graph, pool);
  }

  /**
   * Takes a network that Deeplearning4j has restored or cloned.
   *
   * @param options those that it was built from
   * @param graph the network
   * @param pool threads
   */
  public static TransformerNetwork of(
      NetworkOptions options, ComputationGraph graph, WorkerPool pool) {
    return new TransformerNetwork(options, graph, pool);
  }

  /**
   * The configuration of a network.
   *
   * @param options sizes, scheme, optimizer
   * @throws InputException as {@link NdBackend#require()}
   */
  public static ComputationGraphConfiguration configuration(NetworkOptions options) {
    NdBackend.require();
    DataType type =
        switch (options.type()) {
          case FLOAT32 -> DataType.FLOAT;
          case FLOAT64 -> DataType.DOUBLE;
        };
    AdamW optimizer = options.optimizer();
    ComputationGraphConfiguration.GraphBuilder builder =
        new NeuralNetConfiguration.Builder()
            .seed(options.seed())
            .dataType(type)
            .updater(optimizer == null ? new NoOp() : optimizer.updater())
            .trainingWorkspaceMode(WorkspaceMode.ENABLED)
            .inferenceWorkspaceMode(WorkspaceMode.ENABLED)
            .graphBuilder()
            .addInputs(INPUT);
    String previous = INPUT;
    for (LayerPlan plan : LayerPlan.of(options)) {
      plan.layer().setWeightDecay(optimizer == null ? 0 : optimizer.weightDecay());
      builder.addLayer(plan.name(), plan.layer(), previous);
      previous = plan.name();
    }
    Size image = options.architecture().image();
    return builder
        .addLayer(
            LOSS,
            new LossLayer.Builder(loss(options)).activation(Activation.IDENTITY).build(),
            previous)
        .setOutputs(LOSS)
        .setInputTypes(InputType.convolutional(image.height(), image.width(), 3, CNN2DFormat.NCHW))
        .build();
  }

  private static ILossFunction loss(NetworkOptions options) {
    return options.architecture().answer() == Answer.FEATURES
        ? new FeatureLoss()
        : new SoftTargetLoss(options.distillationWeight(), options.distillationTemperature());
  }

  /** What it was built from. */
  public NetworkOptions options() {
    return options;
  }

  /** Deeplearning4j's network. */
  public ComputationGraph graph() {
    return graph;
  }

  /** Threads, range mode and randomness of the coming pass. */
  public Execution execution() {
    return execution;
  }

  /** Sets what training passes do with the ranges. */
  public void rangeMode(RangeMode mode) {
    execution.rangeMode(mode);
  }

  /**
   * Sets parameters.
   *
   * @param weights by timm name
   * @throws InputException naming a parameter that is missing or has another size
   */
  public void load(FloatWeights weights) {
    try (NdMemory.Writes writes = NdMemory.writes()) {
      parameters(layer -> layer.parameters(writes)).load(weights);
    }
  }

  private NetworkParameters parameters(Function<OperatorLayerRuntime, Reals> memory) {
    return new NetworkParameters(
        options.architecture(),
        parts.stream()
            .map(
                part ->
                    new NetworkParameters.Part(
                        part.prefix, part.layer.operator(), memory.apply(part.layer)))
            .toList());
  }

  /**
   * Copies of all learned parameters, by timm name, in the order of the architecture, and of frozen
   * scales.
   */
  public FloatWeights weights() {
    return parameters(OperatorLayerRuntime::parameters).weights();
  }

  /**
   * Sets the ranges, wherever a layer keeps one.
   *
   * @param ranges by full node name
   * @throws InputException naming a node without a range
   */
  public void ranges(Map<String, Range> ranges) {
    try (NdMemory.Writes writes = NdMemory.writes()) {
      parameters(layer -> layer.parameters(writes)).ranges(ranges);
    }
  }

  /** The ranges by full node name; empty in floating point. */
  public SortedMap<String, Range> ranges() {
    return parameters(OperatorLayerRuntime::parameters).ranges();
  }

  /**
   * What the last forward pass in training saw in mode {@link RangeMode#LAGGED}.
   *
   * @return smallest and largest value by full node name
   */
  public SortedMap<String, Range> seenRanges() {
    SortedMap<String, Range> seen = new TreeMap<>();
    for (Part part : parts) {
      if (part.layer.operator() instanceof QuantizedOperator operator) {
        seen.putAll(operator.seenRanges());
      }
    }
    return seen;
  }

  /**
   * Logits, or features, of a batch, not in training.
   *
   * @param pixels normalised, [batch][3][height][width]
   * @param batch number of pictures
   * @return [batch][classes], or [batch][width]; in integers dequantized, rounded to the number
   *     type
   */
  public double[] logits(float[] pixels, int batch) {
    INDArray output = graph.output(false, array(pixels, batch))[0];
    return NdMemory.read(NdMemory.rowMajor(output, output.dataType())).doubles();
  }

  /**
   * Integer logits, or features, of a batch, not in training.
   *
   * @param pixels normalised, [batch][3][height][width]
   * @param batch number of pictures
   * @return [batch][classes] on the scale {@link #logitScale()}
   * @throws IllegalStateException if the network computes in floating point
   */
  public int[] integerLogits(float[] pixels, int batch) {
    LogitOperator head = head();
    graph.output(false, array(pixels, batch));
    return head.logits();
  }

  /** The scale of the integer logits of the last pass. */
  public float logitScale() {
    return head().logitScale();
  }

  private LogitOperator head() {
    if (parts.get(parts.size() - 1).layer.operator() instanceof LogitOperator head) {
      return head;
    }
    throw new IllegalStateException("the network computes in floating point");
  }

  /**
   * Pixels as Deeplearning4j's input.
   *
   * @param pixels normalised, [batch][3][height][width]
   * @param batch number of pictures
   */
  public INDArray array(float[] pixels, int batch) {
    Size image = options.architecture().image();
    INDArray array =
        Nd4j.createUninitialized(
            graph.getConfiguration().getDataType(),
            new long[] {batch, 3, image.height(), image.width()},
            'c');
    try (NdMemory.Writes writes = NdMemory.writes()) {
      writes.to(array).put(0, pixels, 0, Math.toIntExact(array.length()));
    }
    return array;
  }

  /**
   * The integer graph of the current parameters and ranges, its bounds proved.
   *
   * @throws InputException naming the node that fails a bound
   * @throws IllegalStateException if the network computes in floating point
   */
  public IntegerGraph integerGraph() {
    Scheme scheme = options.scheme();
    if (scheme == null) {
      throw new IllegalStateException("the network computes in floating point");
    }
    return GraphBuilder.build(options.architecture(), weights(), scheme, ranges());
  }

  /** All parameters, ranges among them, as one vector in Deeplearning4j's order. */
  public float[] parameterVector() {
    return NdMemory.read(graph.params()).floats();
  }

  /**
   * Sets all parameters and ranges.
   *
   * @param vector of {@link #parameterVector()} of such a network
   * @throws IllegalArgumentException if it has another length
   */
  public void parameterVector(float[] vector) {
    put(graph.params(), vector);
  }

  /** The gradient of the last pass, in the order of {@link #parameterVector()}. */
  public float[] gradientVector() {
    return NdMemory.read(graph.getFlattenedGradients()).floats();
  }

  /**
   * Puts a gradient that was computed elsewhere where an update will find it.
   *
   * @param vector of {@link #gradientVector()} of such a network
   * @throws IllegalArgumentException if it has another length
   */
  public void gradientVector(float[] vector) {
    if (graph.getFlattenedGradients() == null) {
      graph.initGradientsView();
    }
    put(graph.getFlattenedGradients(), vector);
  }

  private static void put(INDArray array, float[] vector) {
    if (vector.length != array.length()) {
      throw new IllegalArgumentException(
          "found " + vector.length + " numbers, expected " + array.length());
    }
    try (NdMemory.Writes writes = NdMemory.writes()) {
      writes.to(array).put(0, vector, 0, vector.length);
    }
  }

  /** The learning rate of the coming step. */
  public double learningRate() {
    AdamW optimizer = options.optimizer();
    return optimizer == null
        ? 0
        : optimizer.rate().valueAt(graph.getConfiguration().getIterationCount(), 0);
  }

  /** The updater's state in Deeplearning4j's order; empty where nothing trains. */
  public float[] updaterState() {
    INDArray state = graph.getUpdater().getUpdaterStateViewArray();
    return state == null ? new float[0] : state.toFloatVector();
  }

  /**
   * Goes on where another network stopped.
   *
   * @param state of {@link #updaterState()}
   * @param steps updates so far
   * @throws InputException if the state is not that of such a network
   */
  public void restoreUpdater(float[] state, int steps) {
    INDArray own = graph.getUpdater().getUpdaterStateViewArray();
    long expected = own == null ? 0 : own.length();
    if (state.length != expected) {
      throw new InputException(
          "optimizer state: found " + state.length + " numbers, expected " + expected);
    }
    if (own != null) {
      own.assign(Nd4j.createFromArray(state).reshape(own.shape()));
    }
    graph.getConfiguration().setIterationCount(steps);
  }
}
