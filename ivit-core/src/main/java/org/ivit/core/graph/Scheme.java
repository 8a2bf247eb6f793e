package org.ivit.core.graph;

import java.util.Arrays;
import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.ivit.core.InputException;
import org.ivit.core.arithmetic.AsymmetricGelu;
import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.OutlierChannels;
import org.ivit.core.arithmetic.SoftmaxForm;

/**
 * How a model is quantized, besides weights and ranges.
 *
 * @param gelu form of GELU
 * @param softmax form of softmax
 * @param attentionBits width of the attention probabilities, 8 or 16
 * @param outliers outlier channels by full node name; nodes without any are absent
 */
public record Scheme(
    GeluForm gelu,
    SoftmaxForm softmax,
    int attentionBits,
    SortedMap<String, OutlierChannels> outliers) {

  /** The exact forms, 16-bit attention, no outlier channels: the default. */
  public static final Scheme EXACT = of(GeluForm.EXACT, SoftmaxForm.EXACT);

  /**
   * Checks the combination (§3): throws {@link InputException} naming the node where outlier
   * channels cannot be, and where {@code mlp.fc1} and {@code mlp.act} do not share one set.
   */
  public Scheme {
    if (attentionBits != 8 && attentionBits != 16) {
      throw new InputException("attention bits: found " + attentionBits + ", expected 8 or 16");
    }
    if (softmax == SoftmaxForm.DEFERRED && attentionBits != 8) {
      throw new InputException(
          "attention bits: found " + attentionBits + ", expected 8 with softmax form deferred");
    }
    outliers = Collections.unmodifiableSortedMap(new TreeMap<>(outliers));
    for (Map.Entry<String, OutlierChannels> entry : outliers.entrySet()) {
      checkOutliers(entry.getKey(), entry.getValue(), gelu, outliers);
    }
  }

  private static void checkOutliers(
      String node, OutlierChannels channels, GeluForm gelu, Map<String, OutlierChannels> outliers) {
    if (!NodeNames.mayHaveOutliers(node)) {
      throw new InputException(
          "outlier channels of "
              + node
              + ": expected a node that feeds a linear layer (norm1, norm2, norm, attn.context,"
              + " mlp.fc1 with mlp.act)");
    }
    String local = NodeNames.local(node);
    if (!local.startsWith("mlp.")) {
      return;
    }
    if (!gelu.isErf()) {
      throw new InputException(
          "outlier channels of "
              + node
              + ": found GELU form "
              + gelu.key()
              + ", expected exact or asymmetric");
    }
    String other =
        node.substring(0, node.length() - local.length())
            + (local.equals("mlp.fc1") ? "mlp.act" : "mlp.fc1");
    OutlierChannels twin = outliers.get(other);
    if (twin == null || !Arrays.equals(channels.channels(), twin.channels())) {
      throw new InputException(
          "outlier channels of " + node + ": expected the same channels as " + other);
    }
  }

  /**
   * @param gelu form of GELU
   * @param softmax form of softmax
   * @return 16-bit attention without outlier channels
   */
  public static Scheme of(GeluForm gelu, SoftmaxForm softmax) {
    return new Scheme(gelu, softmax, 16, new TreeMap<>());
  }

  /**
   * @param node full node name
   * @return its outlier channels, {@link OutlierChannels#NONE} when it has none
   */
  public OutlierChannels outliers(String node) {
    return outliers.getOrDefault(node, OutlierChannels.NONE);
  }

  /**
   * The scale that follows from a node's range.
   *
   * @param node full node name
   * @param range of the node, outlier channels left out
   * @return value of one code step
   */
  public float scale(String node, Range range) {
    return asymmetric(node) ? AsymmetricGelu.scale(range.max()) : range.scale(NodeNames.bits(node));
  }

  /**
   * What a node's codes lack to be its values divided by their scale.
   *
   * @param node full node name
   * @param scale of the codes
   * @return 0 save for {@code mlp.act} in form {@code asymmetric}
   */
  public int offset(String node, float scale) {
    return asymmetric(node) ? AsymmetricGelu.offset(scale) : 0;
  }

  private boolean asymmetric(String node) {
    return gelu == GeluForm.ASYMMETRIC && NodeNames.local(node).equals("mlp.act");
  }

  /**
   * How many outlier channels there are, in a few words: {@code none}, or by channels and nodes.
   */
  public String outlierCounts() {
    int channels = outliers.values().stream().mapToInt(set -> set.channels().length).sum();
    return channels == 0 ? "none" : channels + " channels at " + outliers.size() + " nodes";
  }

  /**
   * @param channels outlier channels by full node name
   * @return this scheme with those channels instead of its own
   */
  public Scheme withOutliers(Map<String, OutlierChannels> channels) {
    return new Scheme(gelu, softmax, attentionBits, new TreeMap<>(channels));
  }
}
