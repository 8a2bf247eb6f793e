package org.ivit.export.diagnose;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntConsumer;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Node;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.core.engine.portable.PortableMatrixProducts;
import org.ivit.core.engine.reference.ReferenceEngine;
import org.ivit.core.graph.FloatWeights;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.train.network.NetworkOptions;
import org.ivit.train.network.TransformerNetwork;

/**
 * Compares an integer model with a float model, node by node.
 *
 * @param pictures that it was taken on
 * @param integers the integer model against the float model
 * @param weights the float forward of the integer model's own weights against the float model: of a
 *     run, what training and equalization moved, without any rounding; of an integer checkpoint,
 *     what the rounding of the weights costs too
 * @param nodes in order of execution
 */
public record Diagnosis(
    int pictures, Divergence integers, Divergence weights, List<NodeDiagnosis> nodes) {
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
   * @param architecture of the model
   * @param pictures how many
   */
  public static int steps(Architecture architecture, int pictures) {
    return pictures + architecture.nodes().size();
  }

  /**
   * Takes the diagnosis.
   *
   * @param graph the integer model
   * @param weights its float parameters, by timm name
   * @param reference what the float model answers the pictures with
   * @param labels the classes of the pictures
   * @param pixels normalised as the integer model wants them, [3][image][image] for each picture
   * @param progress told of each step
   */
  public static Diagnosis of(
      IntegerGraph graph,
      FloatWeights weights,
      Outputs reference,
      int[] labels,
      List<float[]> pixels,
      IntConsumer progress) {
    Architecture architecture = graph.architecture();
    Collection<Node> all = architecture.nodes().values();
    Map<String, NodeQuantizer> quantizers = new HashMap<>();
    all.forEach(
        node ->
            quantizers.put(
                node.name(),
                new NodeQuantizer(node, graph.scales().get(node.name()), graph.scheme())));
    TransformerNetwork network =
        TransformerNetwork.build(NetworkOptions.inference(architecture, null), WorkerPool.shared());
    network.load(weights);

    NodeRecorder recorder = new NodeRecorder();
    NodeNoise noise = new NodeNoise(recorder, quantizers);
    List<Outputs> integers = new ArrayList<>();
    network.execution().tap(recorder);
    try (ReferenceEngine engine = ReferenceEngine.tracing(graph, new PortableMatrixProducts())) {
      for (float[] picture : pixels) {
        recorder.clear();
        network.logits(picture, 1);
        byte[] codes = Quantizer.codes8(Node.INPUT.name(), picture, graph.inputScale());
        noise.input(picture, codes);
        integers.add(
            Outputs.of(architecture, values(engine.logits(codes, 1, noise), graph.logitScale())));
        progress.accept(1);
      }
    }

    Outputs floats = outputs(network, null, pixels);
    List<NodeDiagnosis> nodes = new ArrayList<>();
    for (Node node : all) {
      NodeQuantizer quantizer = quantizers.get(node.name());
      Outputs quantized = outputs(network, quantizer, pixels);
      nodes.add(
          new NodeDiagnosis(
              node.name(),
              quantizer.bits(),
              quantizer.scale(),
              noise.decibels(node.name()),
              Divergence.of(quantized, floats, labels).mean(),
              quantizer.outliers(),
              node.kind().mayHaveOutliers()
                  ? OutlierChannels.choose(recorder.largest(node.name()))
                  : OutlierChannels.NONE));
      progress.accept(1);
    }
    return new Diagnosis(
        pixels.size(),
        Divergence.of(Outputs.join(integers), reference, labels),
        Divergence.of(floats, reference, labels),
        nodes);
  }

  private static float[] values(int[] logits, float scale) {
    float[] values = new float[logits.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = logits[i] * scale;
    }
    return values;
  }

  private static Outputs outputs(
      TransformerNetwork network, NodeQuantizer tap, List<float[]> pixels) {
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
    return Outputs.of(network.options().architecture(), values);
  }
}
