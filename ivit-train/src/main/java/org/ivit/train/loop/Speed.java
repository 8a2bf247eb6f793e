package org.ivit.train.loop;

/** Pictures a second as a moving average over steps, and whether the loader holds the run up. */
final class Speed {
  private static final double KEPT = 0.9;

  private long last = System.nanoTime();
  private double seconds;
  private double pictures;
  private double waited;

  /**
   * Takes a step.
   *
   * @param count pictures of the step
   * @param waitedNanos time that it waited for pictures
   * @return pictures a second
   */
  double add(int count, long waitedNanos) {
    long now = System.nanoTime();
    seconds = KEPT * seconds + (now - last) * 1e-9;
    pictures = KEPT * pictures + count;
    waited = KEPT * waited + waitedNanos * 1e-9;
    last = now;
    return pictures / seconds;
  }

  /** Whether more than half of the time went into waiting for pictures. */
  boolean waiting() {
    return waited > 0.5 * seconds;
  }
}
