package org.ivit.export.evaluate;

import org.apache.commons.math3.distribution.ChiSquaredDistribution;
import org.apache.commons.math3.stat.inference.AlternativeHypothesis;
import org.apache.commons.math3.stat.inference.BinomialTest;

/**
 * McNemar's test of two models on the same pictures: whether the pictures that only one of them
 * answers correctly are split evenly.
 *
 * @param onlyModel pictures that only the model answers correctly
 * @param onlyReference pictures that only the reference answers correctly
 * @param exact whether the p-value is the exact binomial one; otherwise chi-square with continuity
 *     correction
 * @param pValue two-sided
 */
public record McNemar(int onlyModel, int onlyReference, boolean exact, double pValue) {
  /** Below so many discordant pictures the exact test is used. */
  static final int EXACT_BELOW = 25;

  /** Tests the two counts of discordant pictures. */
  public static McNemar of(int onlyModel, int onlyReference) {
    int discordant = Math.addExact(onlyModel, onlyReference);
    if (discordant == 0) {
      return new McNemar(onlyModel, onlyReference, true, 1);
    }
    if (discordant < EXACT_BELOW) {
      double p =
          new BinomialTest()
              .binomialTest(discordant, onlyModel, 0.5, AlternativeHypothesis.TWO_SIDED);
      return new McNemar(onlyModel, onlyReference, true, Math.min(1, p));
    }
    double excess = Math.max(0, Math.abs(onlyModel - onlyReference) - 1);
    double statistic = excess * excess / discordant;
    double p = 1 - new ChiSquaredDistribution(1).cumulativeProbability(statistic);
    return new McNemar(onlyModel, onlyReference, false, p);
  }
}
