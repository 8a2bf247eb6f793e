package org.ivit.train.gpu;

/** How far numbers are from what is expected. */
final class Distance {
  private Distance() {}

  /** Length of the difference over the length of what is expected; 0 where both are 0. */
  static double of(float[] found, float[] expected) {
    double distance = 0;
    double length = 0;
    for (int i = 0; i < expected.length; i++) {
      double difference = (double) found[i] - expected[i];
      distance += difference * difference;
      length += (double) expected[i] * expected[i];
    }
    return distance == 0 ? 0 : Math.sqrt(distance / length);
  }

  /** The same of two numbers. */
  static double of(double found, double expected) {
    return found == expected ? 0 : Math.abs(found - expected) / Math.abs(expected);
  }
}
