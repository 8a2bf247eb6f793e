package org.ivit.core.cuda;

import java.io.Serializable;

/**
 * Which GPU, and how it multiplies.
 *
 * @param number from 0, as the driver counts
 * @param warpgroups whether Hopper multiplies by warpgroups, which no GPU has proved yet
 * @param tensorMaps whether Hopper multiplies large matrices by clusters of blocks, which the
 *     tensor memory accelerator feeds; no GPU has proved it yet
 * @param dependentLaunches whether Hopper starts a kernel's blocks before the kernel in front has
 *     ended (programmatic dependent launch)
 */
public record Gpu(int number, boolean warpgroups, boolean tensorMaps, boolean dependentLaunches)
    implements Serializable {
  /** The first GPU, as all are used. */
  public static final Gpu FIRST = new Gpu(0, false, false, true);

  /**
   * @throws IllegalArgumentException for a negative number
   */
  public Gpu {
    if (number < 0) {
      throw new IllegalArgumentException("number: " + number);
    }
  }

  /** Another one, used alike. */
  public Gpu withNumber(int other) {
    return new Gpu(other, warpgroups, tensorMaps, dependentLaunches);
  }

  /** The same with or without warpgroups. */
  public Gpu withWarpgroups(boolean use) {
    return new Gpu(number, use, tensorMaps, dependentLaunches);
  }

  /** The same with or without clusters that copy by tensor maps. */
  public Gpu withTensorMaps(boolean use) {
    return new Gpu(number, warpgroups, use, dependentLaunches);
  }

  /** The same with or without programmatic dependent launch. */
  public Gpu withDependentLaunches(boolean use) {
    return new Gpu(number, warpgroups, tensorMaps, use);
  }
}
