package org.ivit.export.cli.console;

import java.lang.management.ManagementFactory;
import java.util.Locale;
import org.ivit.core.engine.Timings;

/** Whether other work on the machine may have spoilt measured times. */
public final class BusyMachine {
  /** Where the slowest tenth of calls takes longer than so many medians, a median says little. */
  private static final double WIDE = 1.5;

  /** What a machine at rest may have running beside the measurement. */
  private static final double AT_REST = 0.5;

  private BusyMachine() {}

  /** Average number of running threads in the last minute; negative where the system has none. */
  public static double load() {
    return ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
  }

  /**
   * Judges the load before measuring.
   *
   * @param load as {@link #load}
   * @param threads that will be measured
   * @return a line for people, or null if there is room for the threads
   */
  public static String ofLoad(double load, int processors, int threads) {
    return load >= 0 && load + Math.min(threads, processors) > processors + AT_REST
        ? String.format(
            Locale.ROOT,
            "the machine was busy before measuring: load %.1f on %d processors, and %d threads to"
                + " come",
            load,
            processors,
            threads)
        : null;
  }

  /**
   * Judges measured times.
   *
   * @return a line for people, or null if they lie close together
   */
  public static String ofSpread(int batch, Timings times) {
    double ratio = times.quantile(0.9) / times.median();
    return ratio > WIDE
        ? String.format(
            Locale.ROOT,
            "the times of batch %d spread widely, as on a busy machine: the 90th percentile is %.1f"
                + " medians",
            batch,
            ratio)
        : null;
  }
}
