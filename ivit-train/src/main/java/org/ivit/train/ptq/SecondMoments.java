package org.ivit.train.ptq;

import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.ivit.core.calibration.NodeObserver;
import org.ivit.core.calibration.NodeValues;
import org.ivit.core.scheme.Range;
import org.ivit.train.memory.Gemm;
import org.ivit.train.memory.OpenBlasGemm;
import org.ivit.train.memory.RealMatrix;
import org.ivit.train.memory.RealType;
import org.ivit.train.memory.Reals;

/**
 * A calibration pass that sums xᵀ·x over all rows x of the nodes that feed linear layers. A node of
 * C channels takes 4·C² bytes outside the heap. Different nodes may be observed at once.
 */
final class SecondMoments implements NodeObserver {
  private final NodeObserver others;
  private final Set<String> nodes;
  private final Gemm gemm = new OpenBlasGemm();
  private final Map<String, Reals> sums = new ConcurrentHashMap<>();
  private final Map<String, Long> rows = new ConcurrentHashMap<>();

  /**
   * @param others observes and answers for all nodes
   * @param nodes full names of the nodes to sum over
   */
  SecondMoments(NodeObserver others, Set<String> nodes) {
    this.others = others;
    this.nodes = Set.copyOf(nodes);
  }

  @Override
  public Range observe(NodeValues values) {
    if (nodes.contains(values.node().name())) {
      add(values.node().name(), values.values(), values.channels());
    }
    return others.observe(values);
  }

  private void add(String node, float[] values, int channels) {
    Reals sum =
        sums.computeIfAbsent(node, n -> Reals.allocate(RealType.FLOAT32, channels * channels));
    Reals batch = Reals.allocate(RealType.FLOAT32, values.length);
    batch.put(0, values, 0, values.length);
    int count = values.length / channels;
    RealMatrix x = new RealMatrix(batch, 0, count, channels);
    gemm.multiply(1, x.transpose(), x, 1, new RealMatrix(sum, 0, channels, channels));
    rows.merge(node, (long) count, Long::sum);
  }

  /**
   * Number of rows that were summed.
   *
   * @param node full node name
   */
  long rows(String node) {
    return rows.get(node);
  }

  /**
   * The mean of xᵀ·x.
   *
   * @param node full node name
   * @return [channels][channels]
   */
  double[] mean(String node) {
    Reals sum = sums.get(node);
    double[] mean = new double[sum.size()];
    sum.get(0, mean, 0, mean.length);
    double factor = 1.0 / rows.get(node);
    for (int i = 0; i < mean.length; i++) {
      mean[i] *= factor;
    }
    return mean;
  }
}
