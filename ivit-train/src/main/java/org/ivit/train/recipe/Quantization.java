package org.ivit.train.recipe;

import org.ivit.core.arithmetic.GeluForm;
import org.ivit.core.arithmetic.SoftmaxForm;

/**
 * How the network becomes integers. What a recipe leaves out is the best that was measured without
 * training: GELU's asymmetric codes, the exact softmax, outlier channels, equalized channels,
 * ranges searched by output error and frozen, and where nothing is trained, weights rounded by
 * second-order error. With the paper's forms of GELU, and where ranges move in training ({@code
 * freezeEpoch}), they are observed instead.
 *
 * @param gelu form of GELU
 * @param softmax form of softmax
 * @param attentionBits bits of the probabilities, 8 or 16; 8 with softmax deferred
 * @param normEpsilon whether layer norms add the float model's epsilon to the variance; without it
 *     they are the paper's
 * @param outliers outlier channels
 * @param equalize whether queries, keys, values and gated values are rescaled to share their scale
 *     well, without a change of the float function; weights that bring frozen scales are left as
 *     they are
 * @param weights how many bits weights have
 * @param weightRounding how calibration rounds weights; those of fewer than 8 bits always by
 *     second-order error
 * @param rangeSearch how ranges of nodes that feed a linear layer are chosen
 * @param observers which observer sets which other range
 * @param calibration pictures that set ranges before the first step
 * @param freezeEpoch ranges stay constant from this epoch on (0: from the first step); the number
 *     of epochs for never
 */
public record Quantization(
    GeluForm gelu,
    SoftmaxForm softmax,
    int attentionBits,
    boolean normEpsilon,
    OutlierChoice outliers,
    boolean equalize,
    WeightRules weights,
    WeightRounding weightRounding,
    RangeSearch rangeSearch,
    ObserverRules observers,
    Calibration calibration,
    int freezeEpoch) {

  static Quantization read(Section section, int epochs) {
    SoftmaxForm softmax = section.choice("softmax", SoftmaxForm.EXACT, SoftmaxForm.class);
    boolean deferred = softmax == SoftmaxForm.DEFERRED;
    int bits = section.integer("attentionBits", deferred ? 8 : 16, 8, 16);
    if (bits != 8 && (deferred || bits != 16)) {
      throw section.bad("attentionBits", deferred ? "8 with softmax: deferred" : "8 or 16");
    }
    GeluForm gelu = section.choice("gelu", GeluForm.ASYMMETRIC, GeluForm.class);
    boolean moves = section.integer("freezeEpoch", 0, 0, Integer.MAX_VALUE) > 0;
    RangeSearch rangeSearch =
        section.choice(
            "rangeSearch",
            gelu.isErf() && !moves ? RangeSearch.OUTPUT_ERROR : RangeSearch.NONE,
            RangeSearch.class);
    WeightRules weights = WeightRules.read(section.section("weights"));
    Quantization quantization =
        new Quantization(
            gelu,
            softmax,
            bits,
            section.flag("normEpsilon", true),
            OutlierChoice.read(section, "outliers"),
            section.flag("equalize", gelu.isErf()),
            weights,
            section.choice(
                "weightRounding",
                weights.fewer() || (gelu.isErf() && epochs == 0)
                    ? WeightRounding.SECOND_ORDER
                    : WeightRounding.NEAREST,
                WeightRounding.class),
            rangeSearch,
            ObserverRules.read(section.section("observers"), rangeSearch != RangeSearch.NONE),
            Calibration.read(section.section("calibration")),
            section.integer(
                "freezeEpoch", rangeSearch == RangeSearch.NONE ? epochs : 0, 0, Integer.MAX_VALUE));
    if (!quantization.gelu().isErf()) {
      for (String node : quantization.outliers().given().keySet()) {
        if (node.endsWith(".mlp.fc1") || node.endsWith(".mlp.act")) {
          throw section.bad(
              "gelu", "exact or asymmetric, because " + node + " has outlier channels");
        }
      }
    }
    if (weights.fewer() && quantization.weightRounding() == WeightRounding.NEAREST) {
      throw section.bad("weightRounding", "secondOrder for weights of fewer than 8 bits");
    }
    if (quantization.rangeSearch() != RangeSearch.NONE && quantization.freezeEpoch() > 0) {
      throw section.bad("freezeEpoch", "0 beside rangeSearch, whose ranges must not move");
    }
    section.end();
    return quantization;
  }

  /** The same with other bits of weights. */
  public Quantization with(WeightRules rules) {
    return new Quantization(
        gelu,
        softmax,
        attentionBits,
        normEpsilon,
        outliers,
        equalize,
        rules,
        weightRounding,
        rangeSearch,
        observers,
        calibration,
        freezeEpoch);
  }
}
