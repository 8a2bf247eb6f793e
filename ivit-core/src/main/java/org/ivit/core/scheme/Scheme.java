package org.ivit.core.scheme;

import java.util.Arrays;
import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.ivit.core.InputException;
import org.ivit.core.architecture.ActivationSpec;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Node;
import org.ivit.core.architecture.NodeKind;
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
 * @param normEpsilon whether norms add the float model's epsilon
 */
public record Scheme(
    GeluForm gelu,
    SoftmaxForm softmax,
    int attentionBits,
    SortedMap<String, OutlierChannels> outliers,
    boolean normEpsilon) {

  /** The exact forms, 16-bit attention, no outlier channels: the default. */
  public static final Scheme EXACT = of(GeluForm.EXACT, SoftmaxForm.EXACT);

  /**
   * Checks the combination of widths and forms.
   *
   * @throws InputException naming what does not fit
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
  }

  /** Norms without an epsilon; parameters as those of the record. */
  public Scheme(
      GeluForm gelu,
      SoftmaxForm softmax,
      int attentionBits,
      SortedMap<String, OutlierChannels> outliers) {
    this(gelu, softmax, attentionBits, outliers, false);
  }

  /**
   * Checks that outlier channels are at nodes that may have them, and that the product before an
   * activation function and the function itself share one set.
   *
   * @throws InputException naming the first node where they cannot be
   */
  public void check(Architecture architecture) {
    Map<String, Node> nodes = architecture.nodes();
    for (String name : outliers.keySet()) {
      Node node = nodes.get(name);
      if (node == null) {
        throw refused(name, "an unknown node");
      }
      if (node.kind() == NodeKind.POOLED_NORM) {
        throw refused(name, "expected none, it feeds the pool");
      }
      if (!node.kind().mayHaveOutliers()) {
        throw refused(name, "expected a node that feeds a linear layer");
      }
    }
    for (ActivationSpec activation : architecture.activations()) {
      checkTwins(activation.input(), activation.node());
      checkTwins(activation.node(), activation.input());
    }
  }

  private void checkTwins(Node node, Node other) {
    if (outliers(node).isEmpty()) {
      return;
    }
    if (!gelu.isErf()) {
      throw refused(
          node.name(), "found GELU form " + gelu.key() + ", expected exact or asymmetric");
    }
    if (!Arrays.equals(outliers(node).channels(), outliers(other).channels())) {
      throw refused(node.name(), "expected the same channels as " + other);
    }
  }

  private static InputException refused(String node, String reason) {
    return new InputException("outlier channels of " + node + ": " + reason);
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
   * @param node any
   * @return its outlier channels, {@link OutlierChannels#NONE} when it has none
   */
  public OutlierChannels outliers(Node node) {
    return outliers.getOrDefault(node.name(), OutlierChannels.NONE);
  }

  /**
   * The scale that follows from a node's range.
   *
   * @param node any
   * @param range of the node, outlier channels left out
   * @return value of one code step
   */
  public float scale(Node node, Range range) {
    return asymmetric(node) ? AsymmetricGelu.scale(range.max()) : range.scale(node.bits());
  }

  /**
   * What a node's codes lack to be its values divided by their scale.
   *
   * @param node any
   * @param scale of the codes
   * @return 0 save for an activation function in form {@code asymmetric}
   */
  public int offset(Node node, float scale) {
    return asymmetric(node) ? AsymmetricGelu.offset(scale) : 0;
  }

  private boolean asymmetric(Node node) {
    return gelu == GeluForm.ASYMMETRIC && node.kind() == NodeKind.ACTIVATION;
  }

  /**
   * How many outlier channels there are, in a few words: {@code none}, or by channels and nodes.
   */
  public String outlierCounts() {
    int channels = outliers.values().stream().mapToInt(set -> set.channels().length).sum();
    return channels == 0 ? "none" : channels + " channels at " + outliers.size() + " nodes";
  }

  /**
   * @param adds whether norms add the float model's epsilon
   * @return this scheme, with or without
   */
  public Scheme withNormEpsilon(boolean adds) {
    return new Scheme(gelu, softmax, attentionBits, outliers, adds);
  }

  /**
   * @param channels outlier channels by full node name
   * @return this scheme with those channels instead of its own
   */
  public Scheme withOutliers(Map<String, OutlierChannels> channels) {
    return new Scheme(gelu, softmax, attentionBits, new TreeMap<>(channels), normEpsilon);
  }
}
