package org.ivit.train.operator;

/**
 * Distillation of features: {@code 1 − cosine} of the network's feature and the teacher's. A
 * feature of zeros has cosine 0 with every other, and no gradient.
 */
public record CosineDistance() implements Loss {
  /**
   * Loss and gradient of one picture: with a the feature, t the teacher's and c their cosine, the
   * gradient is {@code (c·a/|a| − t/|t|) / |a|}.
   *
   * @param feature of the network
   * @param targets the teacher's, as many numbers
   * @param gradient receives the gradient by the feature; null where it is not wanted
   * @return the loss, 0 to 2
   */
  @Override
  public double row(double[] feature, double[] targets, double[] gradient) {
    int n = feature.length;
    if (targets.length != n) {
      throw new IllegalArgumentException(
          targets.length + " targets for a feature of " + n + " numbers, expected the teacher's");
    }
    double product = 0;
    double own = 0;
    double teacher = 0;
    for (int c = 0; c < n; c++) {
      product += feature[c] * targets[c];
      own += feature[c] * feature[c];
      teacher += targets[c] * targets[c];
    }
    double length = Math.sqrt(own);
    double norms = length * Math.sqrt(teacher);
    double cosine = norms == 0 ? 0 : Math.max(-1, Math.min(1, product / norms));
    for (int c = 0; gradient != null && c < n; c++) {
      gradient[c] = norms == 0 ? 0 : cosine * feature[c] / own - targets[c] / norms;
    }
    return 1 - cosine;
  }
}
