package org.ivit.train.nd4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.ivit.train.nd4j.GpuCopies.memory;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.SortedMap;
import java.util.stream.Stream;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.updater.UpdaterBlock;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.core.scheme.Range;
import org.ivit.core.scheme.Scheme;
import org.ivit.core.testing.GoldenModel;
import org.ivit.train.layer.LayerRanges;
import org.ivit.train.layer.OperatorLayerRuntime;
import org.ivit.train.memory.AdamKernel;
import org.ivit.train.memory.RealType;
import org.ivit.train.network.AdamW;
import org.ivit.train.network.NetworkOptions;
import org.ivit.train.network.TrainingStep;
import org.ivit.train.network.TransformerNetwork;
import org.ivit.train.operator.RangeMode;
import org.ivit.train.step.MicroBatch;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.schedule.FixedSchedule;

/**
 * Whatever lies on a GPU is brought to the processor before it is read, and what was written there
 * is marked as newest, as ND4J's CUDA backend needs it.
 */
class DeviceLocatedArraysTest {
  private static final WorkerPool POOL = new WorkerPool(2);
  private static final LayerWorkspaceMgr NO_WORKSPACES = LayerWorkspaceMgr.noWorkspaces();

  @AfterAll
  static void closePool() {
    POOL.close();
  }

  private static TransformerNetwork network(GoldenModel model, boolean quantized) {
    Scheme scheme = quantized ? model.scheme() : null;
    TransformerNetwork network =
        TransformerNetwork.build(
            new NetworkOptions(
                model.architecture(),
                scheme,
                RealType.FLOAT32,
                3,
                new AdamW(new FixedSchedule(1e-3), 0.05, 0.9, 0.999, 1e-8),
                0,
                0,
                1),
            POOL);
    network.load(model.weights());
    if (quantized) {
      network.ranges(model.ranges());
      network.rangeMode(RangeMode.LAGGED);
    }
    network.graph().initGradientsView();
    return network;
  }

  private static List<OperatorLayerRuntime> layers(TransformerNetwork network) {
    List<OperatorLayerRuntime> layers = new ArrayList<>();
    for (Layer layer : network.graph().getLayers()) {
      if (layer instanceof OperatorLayerRuntime runtime) {
        layers.add(runtime);
      }
    }
    return layers;
  }

  private static INDArray gaussian(long[] shape) {
    Random random = new Random(7);
    float[] values = new float[Math.toIntExact(Arrays.stream(shape).reduce(1, (a, b) -> a * b))];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return Nd4j.createFromArray(values).reshape('c', shape);
  }

  private static float[] floats(INDArray array) {
    return array.reshape(array.length()).toFloatVector();
  }

  /** Outputs of all layers forward, then gradients of inputs backward, from the last layer on. */
  private interface Pass {
    INDArray forward(OperatorLayerRuntime layer, INDArray x);

    INDArray backward(OperatorLayerRuntime layer, INDArray gradient);
  }

  private static List<float[]> run(TransformerNetwork network, GoldenModel model, Pass pass) {
    List<float[]> found = new ArrayList<>();
    List<OperatorLayerRuntime> layers = layers(network);
    INDArray x = network.array(model.evalPixels(), model.pictures());
    for (OperatorLayerRuntime layer : layers) {
      layer.setInput(x, NO_WORKSPACES);
      x = pass.forward(layer, x);
      found.add(floats(x));
    }
    INDArray gradient = gaussian(x.shape());
    Collections.reverse(layers);
    for (OperatorLayerRuntime layer : layers) {
      gradient = pass.backward(layer, gradient);
      if (gradient != null) {
        found.add(floats(gradient));
      }
    }
    found.add(floats(network.graph().getFlattenedGradients()));
    return found;
  }

  private static final class Plain implements Pass {
    @Override
    public INDArray forward(OperatorLayerRuntime layer, INDArray x) {
      return layer.activate(true, NO_WORKSPACES);
    }

    @Override
    public INDArray backward(OperatorLayerRuntime layer, INDArray gradient) {
      return layer.backpropGradient(gradient, NO_WORKSPACES).getSecond();
    }
  }

  /** Everything that a layer is given was computed on the GPU. */
  private record OnGpu(TransformerNetwork network, GpuCopies gpu) implements Pass {
    @Override
    public INDArray forward(OperatorLayerRuntime layer, INDArray x) {
      float[] before = floats(x);
      gpu.written();
      gpu.compute(network.graph().params());
      gpu.compute(x);
      INDArray y = layer.activate(true, NO_WORKSPACES);
      assertThat(gpu.written()).containsExactly(memory(y));
      unchanged(x, before);
      return y;
    }

    @Override
    public INDArray backward(OperatorLayerRuntime layer, INDArray gradient) {
      INDArray x = layer.input();
      float[] before = floats(x);
      float[] gradientBefore = floats(gradient);
      gpu.compute(network.graph().params());
      gpu.compute(x);
      gpu.compute(gradient);
      gpu.compute(network.graph().getFlattenedGradients());
      INDArray found = layer.backpropGradient(gradient, NO_WORKSPACES).getSecond();
      List<String> expected = new ArrayList<>();
      if (found != null) {
        expected.add(memory(found));
      }
      expected.add(memory(layer.getGradientsViewArray()));
      assertThat(gpu.written()).containsExactlyElementsOf(expected);
      unchanged(gradient, gradientBefore);
      unchanged(x, before);
      return found;
    }

    private void unchanged(INDArray array, float[] before) {
      assertThat(NdMemory.read(array).floats()).isEqualTo(before);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "micro_vit,true",
    "micro_vit_outliers,true",
    "micro_vit,false",
    "micro_swin,true",
    "micro_swin,false"
  })
  void layersComputeTheSame(String name, boolean quantized) {
    GoldenModel model = new GoldenModel(name);
    List<float[]> expected = run(network(model, quantized), model, new Plain());
    TransformerNetwork network = network(model, quantized);
    float[] parameters = network.parameterVector();
    try (GpuCopies gpu = new GpuCopies()) {
      List<float[]> found = run(network, model, new OnGpu(network, gpu));
      assertThat(found).hasSameSizeAs(expected);
      for (int i = 0; i < found.size(); i++) {
        assertThat(found.get(i)).as("array %d", i).isEqualTo(expected.get(i));
      }
      assertThat(network.parameterVector()).isEqualTo(parameters);
    }
  }

  @Test
  void whatIsReadOfANetworkIsWhatTheGpuHas() {
    GoldenModel model = new GoldenModel("micro_vit");
    TransformerNetwork network = network(model, true);
    float[] parameters = network.parameterVector();
    INDArray gradients = network.graph().getFlattenedGradients();
    gradients.assign(gaussian(gradients.shape()));
    float[] gradient = network.gradientVector();
    try (GpuCopies gpu = new GpuCopies()) {
      gpu.compute(network.graph().params());
      assertThat(network.parameterVector()).isEqualTo(parameters);
      gpu.compute(network.graph().params());
      FloatWeights weights = network.weights();
      weights.values().forEach((n, v) -> assertThat(v).as(n).isEqualTo(model.weights().get(n)));
      gpu.compute(network.graph().params());
      assertThat(network.ranges()).isEqualTo(model.ranges());
      gpu.compute(network.graph().params());
      assertThat(new LayerRanges(network.graph()).get()).isEqualTo(model.ranges());
      gpu.compute(gradients);
      assertThat(network.gradientVector()).isEqualTo(gradient);
      assertThat(gpu.written()).isEmpty();
    }
  }

  private static List<String> parameters(Stream<OperatorLayerRuntime> layers) {
    return layers.map(layer -> memory(layer.params())).toList();
  }

  @Test
  void whatIsSetInANetworkIsMarkedAndKeepsTheRest() {
    GoldenModel model = new GoldenModel("micro_vit");
    TransformerNetwork network = network(model, true);
    List<String> all = parameters(layers(network).stream());
    float[] parameters = network.parameterVector();
    INDArray vector = network.graph().params();
    SortedMap<String, Range> ranges = network.ranges();
    try (GpuCopies gpu = new GpuCopies()) {
      gpu.compute(vector);
      network.load(model.weights());
      assertThat(gpu.written()).containsAll(all).isSubsetOf(all);
      assertThat(network.parameterVector()).isEqualTo(parameters);

      gpu.compute(vector);
      network.ranges(ranges);
      assertThat(gpu.written()).isNotEmpty().isSubsetOf(all);
      assertThat(network.parameterVector()).isEqualTo(parameters);

      gpu.compute(vector);
      new LayerRanges(network.graph()).set(ranges);
      assertThat(gpu.written()).isNotEmpty().isSubsetOf(all);
      assertThat(network.parameterVector()).isEqualTo(parameters);

      gpu.compute(vector);
      network.parameterVector(parameters);
      assertThat(gpu.written()).containsExactly(memory(vector));

      float[] gradient = new float[parameters.length];
      network.gradientVector(gradient);
      assertThat(gpu.written()).containsExactly(memory(network.graph().getFlattenedGradients()));

      INDArray pixels = network.array(model.evalPixels(), model.pictures());
      assertThat(gpu.written()).containsExactly(memory(pixels));
    }
  }

  @Test
  void theUpdateIsTheSame() {
    GoldenModel model = new GoldenModel("micro_vit");
    TransformerNetwork plain = network(model, true);
    TransformerNetwork network = network(model, true);
    MicroBatch batch =
        new MicroBatch(
            model.evalPixels(),
            new float[10 * model.pictures()],
            model.pictures(),
            new long[model.pictures()]);
    new TrainingStep(plain, 1).run(List.of(batch));
    new TrainingStep(network, 1).run(List.of(batch));
    UpdaterBlock expected = plain.graph().getUpdater().getUpdaterBlocks().get(0);
    UpdaterBlock found = network.graph().getUpdater().getUpdaterBlocks().get(0);
    expected.getGradientView().assign(gaussian(expected.getGradientView().shape()));
    found.getGradientView().assign(gaussian(found.getGradientView().shape()));
    assumeThat(AdamKernel.serves(NdMemory.read(found.getGradientView())))
        .as("native kernels")
        .isTrue();
    expected.getGradientUpdater().applyUpdater(expected.getGradientView(), 1, 0);
    try (GpuCopies gpu = new GpuCopies()) {
      gpu.compute(found.getUpdaterView());
      gpu.compute(found.getGradientView());
      found.getGradientUpdater().applyUpdater(found.getGradientView(), 1, 0);
      assertThat(gpu.written()).hasSize(3).contains(memory(found.getGradientView()));
    }
    assertThat(floats(found.getGradientView())).isEqualTo(floats(expected.getGradientView()));
    assertThat(floats(found.getUpdaterView())).isEqualTo(floats(expected.getUpdaterView()));
  }
}
