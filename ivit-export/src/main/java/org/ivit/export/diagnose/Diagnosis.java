package org.ivit.export.diagnose;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntConsumer;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.calibration.NodeValues;
import org.ivit.core.calibration.ObservingForward;
import org.ivit.core.engine.cpu.CpuMatrixProducts;
import org.ivit.core.graph.NodeNames;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.export.evaluate.Comparison;
import org.ivit.export.evaluate.Logits;
import org.ivit.export.freeze.Frozen;
import org.ivit.train.network.NetworkOptions;
import org.ivit.train.network.VitNetwork;

/**
 * Compares the integer model of a run with a float model, node by node.
 *
 * @param pictures that it was taken on
 * @param integers the integer model against the float model
 * @param weights the float forward of the run's own weights against the float model: what training
 *     and equalization moved, without any rounding
 * @param nodes in order of execution
 */
public record Diagnosis(
    int pictures, Comparison integers, Comparison weights, List<NodeDiagnosis> nodes) {
  /** Copies. */
  public Diagnosis {
    nodes = List.copyOf(nodes);
  }

  /** The nodes, the most expensive first. */
  public List<NodeDiagnosis> byCost() {
    return nodes.stream()
        .sorted(Comparator.comparingDouble(NodeDiagnosis::cost).reversed())
        .toList();
  }

  /**
   * Number of steps that {@link #of} reports.
   *
   * @param architecture of the run
   * @param pictures how many
   */
  public static int steps(Architecture architecture, int pictures) {
    return pictures + NodeNames.ranged(architecture).size();
  }

  /**
   * Takes the diagnosis.
   *
   * @param frozen the run: integers, weights, scheme, ranges
   * @param reference logits of the float model on the pictures
   * @param labels the classes of the pictures
   * @param pixels normalised as the run wants them, [3][image][image] for each picture
   * @param progress told of each step
   */
  public static Diagnosis of(
      Frozen frozen, Logits reference, int[] labels, List<float[]> pixels, IntConsumer progress) {
    Architecture architecture = frozen.checkpoint().graph().architecture();
    List<String> names = NodeNames.ranged(architecture);
    Map<String, NodeQuantizer> quantizers = new HashMap<>();
    names.forEach(
        node ->
            quantizers.put(
                node, new NodeQuantizer(node, frozen.ranges().get(node), frozen.scheme())));
    VitNetwork network =
        VitNetwork.build(NetworkOptions.inference(architecture, null), WorkerPool.shared());
    network.load(frozen.weights());

    NodeRecorder recorder = new NodeRecorder();
    Map<String, double[]> noise = new HashMap<>();
    List<Logits> integers = new ArrayList<>();
    network.execution().tap(recorder);
    for (float[] picture : pixels) {
      recorder.clear();
      network.logits(picture, 1);
      ObservingForward integerForward =
          new ObservingForward(
              architecture,
              frozen.weights(),
              frozen.scheme(),
              new CpuMatrixProducts(),
              values -> {
                add(noise, values, recorder, quantizers.get(values.node()));
                return frozen.ranges().get(values.node());
              });
      integers.add(values(integerForward.run(picture, 1), frozen));
      progress.accept(1);
    }

    Logits floats = logits(network, null, pixels);
    List<NodeDiagnosis> nodes = new ArrayList<>();
    for (String node : names) {
      NodeQuantizer quantizer = quantizers.get(node);
      Logits quantized = logits(network, quantizer, pixels);
      double[] sums = noise.get(node);
      nodes.add(
          new NodeDiagnosis(
              node,
              quantizer.bits(),
              quantizer.scale(),
              10 * Math.log10(sums[0] / sums[1]),
              Comparison.of(quantized, floats, labels).meanKl(),
              quantizer.outliers(),
              NodeNames.mayHaveOutliers(architecture, node)
                  ? OutlierChannels.choose(recorder.largest(node))
                  : OutlierChannels.NONE));
      progress.accept(1);
    }
    return new Diagnosis(
        pixels.size(),
        Comparison.of(Logits.join(integers), reference, labels),
        Comparison.of(floats, reference, labels),
        nodes);
  }

  /** Adds Σx² and Σ(x−y)². The input's values come in another order, but are the float model's. */
  private static void add(
      Map<String, double[]> noise,
      NodeValues values,
      NodeRecorder floats,
      NodeQuantizer quantizer) {
    float[] integer = values.values();
    float[] real = values.node().equals(NodeNames.INPUT) ? integer : floats.values(values.node());
    double[] sums = noise.computeIfAbsent(values.node(), n -> new double[2]);
    for (int i = 0; i < integer.length; i++) {
      double x = real[i];
      double difference = x - quantizer.quantized(integer[i], i % values.channels());
      sums[0] += x * x;
      sums[1] += difference * difference;
    }
  }

  private static Logits values(int[] logits, Frozen frozen) {
    float scale = frozen.checkpoint().graph().logitScale();
    float[] values = new float[logits.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = logits[i] * scale;
    }
    return Logits.ofValues(values, logits.length);
  }

  private static Logits logits(VitNetwork network, NodeQuantizer tap, List<float[]> pixels) {
    network.execution().tap(tap);
    int size = pixels.get(0).length;
    float[] all = new float[Math.multiplyExact(size, pixels.size())];
    for (int i = 0; i < pixels.size(); i++) {
      System.arraycopy(pixels.get(i), 0, all, i * size, size);
    }
    double[] logits = network.logits(all, pixels.size());
    float[] values = new float[logits.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) logits[i];
    }
    network.execution().tap(null);
    return Logits.ofValues(values, logits.length / pixels.size());
  }
}
