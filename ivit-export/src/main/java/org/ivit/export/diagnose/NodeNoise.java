package org.ivit.export.diagnose;

import java.util.HashMap;
import java.util.Map;
import org.ivit.core.architecture.Node;
import org.ivit.core.engine.reference.Trace;

/**
 * Signal and noise of every node: values of a float forward, which a recorder has just seen, beside
 * the codes of the integer model.
 */
final class NodeNoise implements Trace {
  private final NodeRecorder floats;
  private final Map<String, NodeQuantizer> quantizers;
  private final Map<String, double[]> sums = new HashMap<>();

  NodeNoise(NodeRecorder floats, Map<String, NodeQuantizer> quantizers) {
    this.floats = floats;
    this.quantizers = quantizers;
  }

  /** The float network shows its input in another order. */
  void input(float[] pixels, byte[] codes) {
    add(Node.INPUT.name(), pixels, codes);
  }

  @Override
  public void node(String node, Object codes) {
    if (quantizers.containsKey(node) && !node.equals(Node.INPUT.name())) {
      add(node, floats.values(node), codes);
    }
  }

  /** 10·log10(Σx²/Σ(x−y)²), infinite where all values are equal. */
  double decibels(String node) {
    double[] sum = sums.get(node);
    return 10 * Math.log10(sum[0] / sum[1]);
  }

  private void add(String node, float[] real, Object codes) {
    NodeQuantizer quantizer = quantizers.get(node);
    int channels = floats.largest(node).length;
    double[] sum = sums.computeIfAbsent(node, n -> new double[2]);
    for (int i = 0; i < real.length; i++) {
      double x = real[i];
      double difference = x - quantizer.value(code(codes, i), i % channels);
      sum[0] += x * x;
      sum[1] += difference * difference;
    }
  }

  private static int code(Object codes, int at) {
    return codes instanceof byte[] bytes ? bytes[at] : ((short[]) codes)[at];
  }
}
