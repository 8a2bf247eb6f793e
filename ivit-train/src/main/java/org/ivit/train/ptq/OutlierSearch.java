package org.ivit.train.ptq;

import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.ivit.core.architecture.ActivationSpec;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Node;
import org.ivit.core.architecture.NodeKind;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.OutlierChannels;

/** Chooses outlier channels by the rule of {@code docs/arithmetic.md#outlier-channels}. */
public final class OutlierSearch {
  private OutlierSearch() {}

  /**
   * Applies the rule to every node. {@code mlp.fc1} and {@code mlp.act} share the channels that the
   * rule finds in either, each with its own shift; where those are too many, the channels of {@code
   * mlp.fc1}. Without the erf form of GELU these two have none.
   *
   * @param architecture whose nodes they are
   * @param largest largest absolute value by node and channel
   * @param gelu form of GELU
   * @return outlier channels of the nodes that have some
   */
  public static SortedMap<String, OutlierChannels> choose(
      Architecture architecture, Map<String, float[]> largest, GeluForm gelu) {
    SortedMap<String, OutlierChannels> outliers = new TreeMap<>();
    for (Node node : architecture.nodes().values()) {
      boolean inMlp = node.kind() == NodeKind.HIDDEN || node.kind() == NodeKind.ACTIVATION;
      if (!inMlp && largest.containsKey(node.name()) && node.kind().mayHaveOutliers()) {
        put(outliers, node.name(), OutlierChannels.choose(largest.get(node.name())));
      }
    }
    List<ActivationSpec> activations = gelu.isErf() ? architecture.activations() : List.of();
    for (ActivationSpec activation : activations) {
      String fc1 = activation.input().name();
      String act = activation.node().name();
      if (largest.containsKey(fc1) && largest.containsKey(act)) {
        chooseShared(fc1, act, largest.get(fc1), largest.get(act), outliers);
      }
    }
    return outliers;
  }

  private static void chooseShared(
      String fc1,
      String act,
      float[] before,
      float[] after,
      Map<String, OutlierChannels> outliers) {
    int[] first = OutlierChannels.choose(before).channels();
    int[] second = OutlierChannels.choose(after).channels();
    int[] channels =
        IntStream.concat(IntStream.of(first), IntStream.of(second)).sorted().distinct().toArray();
    if (channels.length > OutlierChannels.MAX_CHOSEN) {
      channels = first;
    }
    put(outliers, fc1, OutlierChannels.withShiftFor(channels, before));
    put(outliers, act, OutlierChannels.withShiftFor(channels, after));
  }

  private static void put(
      Map<String, OutlierChannels> outliers, String node, OutlierChannels channels) {
    if (!channels.isEmpty()) {
      outliers.put(node, channels);
    }
  }
}
