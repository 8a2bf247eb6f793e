package org.ivit.train.monitor;

import java.util.function.LongSupplier;
import org.ivit.core.dataset.PictureLoader;
import org.ivit.train.loading.Loading;

/** Pictures a second as a moving average over steps, and how the loader keeps up. */
public final class Speed {
  private static final double KEPT = 0.9;

  private final LongSupplier nanos;
  private long last;
  private double seconds;
  private double pictures;
  private double waited;
  private double busy;
  private double loaded;
  private int threads;

  public Speed() {
    this(System::nanoTime);
  }

  /**
   * @param nanos a clock
   */
  public Speed(LongSupplier nanos) {
    this.nanos = nanos;
    this.last = nanos.getAsLong();
  }

  /**
   * Takes a step.
   *
   * @param count pictures of the step
   * @param work of the loader since the step before
   * @return pictures a second
   */
  public double add(int count, PictureLoader.Work work) {
    long now = nanos.getAsLong();
    seconds = KEPT * seconds + (now - last) * 1e-9;
    pictures = KEPT * pictures + count;
    waited = KEPT * waited + work.waitedNanos() * 1e-9;
    busy = KEPT * busy + work.busyNanos() * 1e-9;
    loaded = KEPT * loaded + work.pictures();
    threads = work.threads();
    last = now;
    return pictures / seconds;
  }

  /** How the loader keeps up. */
  public Loading loading() {
    return new Loading(
        seconds > 0 ? Math.min(1, waited / seconds) : 0,
        busy > 0 ? threads * loaded / busy : 0,
        threads);
  }
}
