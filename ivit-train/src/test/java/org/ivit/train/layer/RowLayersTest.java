package org.ivit.train.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.SortedMap;
import java.util.SplittableRandom;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.ivit.core.InputException;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.SoftmaxForm;
import org.ivit.core.scheme.Range;
import org.ivit.train.operator.RangeMode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** The four layers in plain networks of Deeplearning4j. */
class RowLayersTest {
  private static final int CHANNELS = 6;
  private static final int CLASSES = 4;
  private static final int TIME = 5;
  private static final int BATCH = 8;

  private static NeuralNetConfiguration.Builder builder() {
    return new NeuralNetConfiguration.Builder()
        .seed(11)
        .dataType(DataType.FLOAT)
        .updater(new Adam(3e-2));
  }

  /** The four layers and a float output over [batch, time, channels]. */
  private static ComputationGraph series(GeluForm gelu, SoftmaxForm softmax) {
    ComputationGraphConfiguration configuration =
        builder()
            .graphBuilder()
            .addInputs("x")
            .addLayer("fc1", new QuantLinearLayer(CHANNELS, 24), "x")
            .addLayer("act", new ShiftGeluLayer(24, gelu), "fc1")
            .addLayer("fc2", new QuantLinearLayer(24, 8, 16), "act")
            .addLayer("ln", new ILayerNormLayer(8), "fc2")
            .addLayer("p", new ShiftmaxLayer(8, softmax, 16), "ln")
            .addLayer(
                "out",
                new RnnOutputLayer.Builder(LossFunction.MCXENT)
                    .activation(Activation.SOFTMAX)
                    .nIn(8)
                    .nOut(CLASSES)
                    .dataFormat(RNNFormat.NWC)
                    .build(),
                "p")
            .setOutputs("out")
            .setInputTypes(InputType.recurrent(CHANNELS, TIME, RNNFormat.NWC))
            .build();
    ComputationGraph network = new ComputationGraph(configuration);
    network.init();
    return network;
  }

  private static MultiLayerNetwork rows() {
    MultiLayerConfiguration configuration =
        builder()
            .list()
            .layer(new QuantLinearLayer(CHANNELS, 24))
            .layer(new ShiftGeluLayer(24, GeluForm.EXACT))
            .layer(new QuantLinearLayer(24, 8, 16))
            .layer(new ILayerNormLayer(8))
            .layer(
                new OutputLayer.Builder(LossFunction.MCXENT)
                    .activation(Activation.SOFTMAX)
                    .nIn(8)
                    .nOut(CLASSES)
                    .build())
            .setInputType(InputType.feedForward(CHANNELS))
            .build();
    MultiLayerNetwork network = new MultiLayerNetwork(configuration);
    network.init();
    return network;
  }

  /** A network that ends in the paper's softmax, so that its gradient is what trains. */
  private static MultiLayerNetwork classifier() {
    MultiLayerConfiguration configuration =
        builder()
            .list()
            .layer(new QuantLinearLayer(CHANNELS, CLASSES))
            .layer(new ShiftmaxLayer(CLASSES, SoftmaxForm.SHIFT, 16))
            .layer(new LossLayer.Builder(LossFunction.L2).activation(Activation.IDENTITY).build())
            .setInputType(InputType.feedForward(CHANNELS))
            .build();
    MultiLayerNetwork network = new MultiLayerNetwork(configuration);
    network.init();
    return network;
  }

  private static INDArray input(long... shape) {
    INDArray x = Nd4j.createUninitialized(DataType.FLOAT, shape, 'c');
    SplittableRandom random = new SplittableRandom(3);
    for (long i = 0; i < x.length(); i++) {
      x.putScalar(i, (float) random.nextGaussian());
    }
    return x;
  }

  /** The class of a row is which of its first channels is the largest. */
  private static INDArray labels(INDArray x) {
    long[] shape = x.shape().clone();
    shape[shape.length - 1] = CLASSES;
    INDArray rows = x.reshape('c', -1, CHANNELS);
    INDArray labels = Nd4j.zeros(DataType.FLOAT, rows.size(0), CLASSES);
    for (long r = 0; r < rows.size(0); r++) {
      int best = 0;
      for (int c = 1; c < CLASSES; c++) {
        best = rows.getDouble(r, c) > rows.getDouble(r, best) ? c : best;
      }
      labels.putScalar(r, best, 1);
    }
    return labels.reshape('c', shape);
  }

  @ParameterizedTest
  @CsvSource({"ROW,SHIFT", "ELEMENT,EXACT", "EXACT,EXACT"})
  void trainsASeries(GeluForm gelu, SoftmaxForm softmax) {
    ComputationGraph network = series(gelu, softmax);
    INDArray x = input(BATCH, TIME, CHANNELS);
    MultiDataSet data = new MultiDataSet(x, labels(x));
    network.addListeners(new LaggedRanges(new LayerRanges(network)));
    network.fit(data);
    double first = network.score(data);
    for (int i = 0; i < 12; i++) {
      network.fit(data);
    }
    assertThat(network.score(data)).isLessThan(0.95 * first);
  }

  @Test
  void trainsRows() {
    INDArray x = input(40, CHANNELS);
    DataSet data = new DataSet(x, labels(x));
    for (MultiLayerNetwork network : new MultiLayerNetwork[] {rows(), classifier()}) {
      network.addListeners(new LaggedRanges(new LayerRanges(network)));
      network.fit(data);
      double first = network.score(data);
      for (int i = 0; i < 15; i++) {
        network.fit(data);
      }
      assertThat(network.score(data)).isLessThan(0.95 * first);
    }
  }

  @Test
  void aSeriesIsItsRows() {
    INDArray x = input(BATCH, TIME, CHANNELS);
    ComputationGraph network = series(GeluForm.ROW, SoftmaxForm.SHIFT);
    network.addListeners(new LaggedRanges(new LayerRanges(network)));
    network.fit(new MultiDataSet(x, labels(x)));
    INDArray whole = network.feedForward(x, false).get("p");
    INDArray one = network.feedForward(x.dup('f'), false).get("p");
    assertThat(whole.shape()).containsExactly(BATCH, TIME, 8);
    assertThat(one.dup('c').data().asFloat()).isEqualTo(whole.dup('c').data().asFloat());
    INDArray row = network.feedForward(x.reshape('c', BATCH * TIME, 1, CHANNELS), false).get("p");
    assertThat(row.dup('c').data().asFloat()).isEqualTo(whole.dup('c').data().asFloat());
  }

  @Test
  void comesBackFromJsonAndFilesWithItsScales(@TempDir Path folder) throws IOException {
    ComputationGraph network = series(GeluForm.ELEMENT, SoftmaxForm.EXACT);
    LayerRanges ranges = new LayerRanges(network);
    INDArray x = input(BATCH, TIME, CHANNELS);
    network.addListeners(new LaggedRanges(ranges));
    for (int i = 0; i < 3; i++) {
      network.fit(new MultiDataSet(x, labels(x)));
    }
    SortedMap<String, Range> kept = ranges.get();
    assertThat(kept)
        .containsOnlyKeys(
            "fc1.input",
            "fc1.linear",
            "act.input",
            "act.gelu",
            "fc2.input",
            "fc2.linear",
            "ln.input",
            "ln.norm",
            "p.input");
    float[] expected = network.outputSingle(x).dup('c').data().asFloat();

    ComputationGraphConfiguration json =
        ComputationGraphConfiguration.fromJson(network.getConfiguration().toJson());
    assertThat(json).isEqualTo(network.getConfiguration());
    ComputationGraph fromJson = new ComputationGraph(json);
    fromJson.init(network.params(), true);
    assertThat(fromJson.outputSingle(x).dup('c').data().asFloat()).isEqualTo(expected);

    Path file = folder.resolve("network.zip");
    ModelSerializer.writeModel(network, file.toFile(), true);
    ComputationGraph restored = ModelSerializer.restoreComputationGraph(file.toFile(), true);
    assertThat(new LayerRanges(restored).get()).isEqualTo(kept);
    assertThat(restored.outputSingle(x).dup('c').data().asFloat()).isEqualTo(expected);

    ComputationGraph fresh = series(GeluForm.ELEMENT, SoftmaxForm.EXACT);
    new LayerRanges(fresh).set(kept);
    assertThat(new LayerRanges(fresh).get()).isEqualTo(kept);
  }

  @Test
  void rangesMoveLaggedAndStayFrozen() {
    MultiLayerNetwork network = classifier();
    LayerRanges ranges = new LayerRanges(network);
    INDArray x = input(40, CHANNELS);
    network.addListeners(new LaggedRanges(ranges));
    assertThat(ranges.get()).isEmpty();
    network.fit(new DataSet(x, labels(x)));
    Range first = ranges.get().get("layer0.input");
    assertThat(first).isEqualTo(new Range(x.minNumber().floatValue(), x.maxNumber().floatValue()));
    INDArray twice = x.mul(2);
    network.fit(new DataSet(twice, labels(x)));
    Range batch = new Range(2 * first.min(), 2 * first.max());
    SortedMap<String, Range> moved = ranges.get();
    assertThat(moved.get("layer0.input")).isEqualTo(first.movedTowards(batch));
    assertThat(moved).containsOnlyKeys("layer0.input", "layer0.linear", "layer1.input");
    ranges.mode(RangeMode.FROZEN);
    network.fit(new DataSet(x.mul(3), labels(x)));
    assertThat(ranges.get()).isEqualTo(moved);
  }

  @Test
  void namesWhatDoesNotFit() {
    MultiLayerNetwork network = classifier();
    assertThatThrownBy(() -> network.output(input(2, CHANNELS)))
        .isInstanceOf(InputException.class)
        .hasMessage("layer0.input: found no range, expected one from calibration or a checkpoint");
    assertThatThrownBy(() -> new LayerRanges(network).set(java.util.Map.of()))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith("ranges: found none for node layer");
    assertThatThrownBy(() -> network.output(input(2, CHANNELS + 1)))
        .isInstanceOf(InputException.class)
        .hasMessage("layer0: found an input of shape [2, 7], expected a last axis of 6");
    assertThatThrownBy(
            () -> new ILayerNormLayer(CHANNELS).getOutputType(0, InputType.recurrent(CHANNELS, 3)))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("expected feedForward or recurrent in format NWC of size 6");
  }
}
