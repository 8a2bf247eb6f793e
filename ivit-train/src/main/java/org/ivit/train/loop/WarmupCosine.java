package org.ivit.train.loop;

import org.nd4j.linalg.schedule.ISchedule;
import org.nd4j.shade.jackson.annotation.JsonCreator;
import org.nd4j.shade.jackson.annotation.JsonProperty;

/**
 * The learning rate by step: linear from the warm-up rate to the base rate, then half a cosine to
 * the minimum rate, as timm's cosine scheduler stepped by update.
 */
public final class WarmupCosine implements ISchedule {
  private static final long serialVersionUID = 1L;

  private final double base;
  private final double minimum;
  private final double start;
  private final int warmup;
  private final int total;

  /**
   * @param base rate after the warm-up
   * @param minimum rate at the end
   * @param start rate of the first step of the warm-up
   * @param warmup steps of the warm-up
   * @param total steps of the run
   */
  @JsonCreator
  public WarmupCosine(
      @JsonProperty("base") double base,
      @JsonProperty("minimum") double minimum,
      @JsonProperty("start") double start,
      @JsonProperty("warmup") int warmup,
      @JsonProperty("total") int total) {
    this.base = base;
    this.minimum = minimum;
    this.start = start;
    this.warmup = warmup;
    this.total = total;
  }

  /** Returns the rate after the warm-up. */
  public double getBase() {
    return base;
  }

  /** Returns the rate at the end. */
  public double getMinimum() {
    return minimum;
  }

  /** Returns the rate of the first step of the warm-up. */
  public double getStart() {
    return start;
  }

  /** Returns the steps of the warm-up. */
  public int getWarmup() {
    return warmup;
  }

  /** Returns the steps of the run. */
  public int getTotal() {
    return total;
  }

  @Override
  public double valueAt(int iteration, int epoch) {
    if (iteration < warmup) {
      return start + (base - start) * iteration / warmup;
    }
    double progress = Math.min(1, (iteration - warmup) / (double) Math.max(1, total - warmup));
    return minimum + (base - minimum) * 0.5 * (1 + Math.cos(Math.PI * progress));
  }

  @Override
  public ISchedule clone() {
    return new WarmupCosine(base, minimum, start, warmup, total);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof WarmupCosine that
        && base == that.base
        && minimum == that.minimum
        && start == that.start
        && warmup == that.warmup
        && total == that.total;
  }

  @Override
  public int hashCode() {
    return java.util.Objects.hash(base, minimum, start, warmup, total);
  }
}
