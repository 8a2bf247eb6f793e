package org.ivit.train.operator;

/**
 * Cross entropy of softmax with soft targets, and distillation from a teacher's probabilities:
 * {@code (1−w)·CE(targets) + w·T²·KL(teacher ‖ softmax(logits/T))}, T the temperature, which the
 * teacher's probabilities already have. T² keeps the gradient's size (Hinton et al. 2015).
 *
 * @param weight w, share of the distillation, 0 to 1
 * @param temperature T, above 0
 */
public record CrossEntropy(double weight, double temperature) implements Loss {
  /** Checks weight and temperature. */
  public CrossEntropy {
    if (!(weight >= 0 && weight <= 1) || !(temperature > 0) || Double.isInfinite(temperature)) {
      throw new IllegalArgumentException(
          "distillation weight " + weight + " (0 to 1), temperature " + temperature + " (above 0)");
    }
  }

  /**
   * Loss and gradient of one picture.
   *
   * @param logits scores of the classes
   * @param targets probabilities of the classes, then, where the weight is not 0, the teacher's
   * @param gradient receives the gradient by the logits; null where it is not wanted
   * @return the loss
   */
  @Override
  public double row(double[] logits, double[] targets, double[] gradient) {
    int n = logits.length;
    if ((targets.length != n && targets.length != 2 * n)
        || (weight > 0 && targets.length != 2 * n)) {
      throw new IllegalArgumentException(
          targets.length
              + " targets for "
              + n
              + " classes, expected as many, and as many of the teacher with distillation");
    }
    double loss = 0;
    double[] logSoftmax = new double[n];
    if (weight < 1) {
      logSoftmax(logits, 1, logSoftmax);
      double mass = 0;
      for (int c = 0; c < n; c++) {
        mass += targets[c];
        if (targets[c] != 0) {
          loss -= (1 - weight) * targets[c] * logSoftmax[c];
        }
      }
      for (int c = 0; gradient != null && c < n; c++) {
        gradient[c] = (1 - weight) * (mass * Math.exp(logSoftmax[c]) - targets[c]);
      }
    } else if (gradient != null) {
      java.util.Arrays.fill(gradient, 0);
    }
    if (weight > 0) {
      logSoftmax(logits, temperature, logSoftmax);
      double mass = 0;
      double divergence = 0;
      for (int c = 0; c < n; c++) {
        double p = targets[n + c];
        mass += p;
        if (p > 0) {
          divergence += p * (Math.log(p) - logSoftmax[c]);
        }
      }
      loss += weight * temperature * temperature * divergence;
      for (int c = 0; gradient != null && c < n; c++) {
        gradient[c] += weight * temperature * (mass * Math.exp(logSoftmax[c]) - targets[n + c]);
      }
    }
    return loss;
  }

  private static void logSoftmax(double[] logits, double temperature, double[] result) {
    double max = Double.NEGATIVE_INFINITY;
    for (double logit : logits) {
      max = Math.max(max, logit);
    }
    double sum = 0;
    for (double logit : logits) {
      sum += Math.exp((logit - max) / temperature);
    }
    double log = Math.log(sum);
    for (int c = 0; c < logits.length; c++) {
      result[c] = (logits[c] - max) / temperature - log;
    }
  }
}
