package org.ivit.core.engine;

import java.util.Locale;
import java.util.Random;

/** Times an engine on random pictures. */
public final class EngineBenchmark {
  private EngineBenchmark() {}

  /**
   * What was measured, in milliseconds a picture of wall time.
   *
   * @param engine what ran, as {@link Engine#description} says
   * @param batch pictures a call
   * @param calls timed calls
   * @param median half of the calls were faster
   * @param p5 one call in twenty was faster
   * @param p95 one call in twenty was slower
   */
  public record Result(String engine, int batch, int calls, double median, double p5, double p95) {
    /** Returns pictures a second, from the median. */
    public double picturesPerSecond() {
      return 1000 / median;
    }

    /** Returns one line for people. */
    @Override
    public String toString() {
      return String.format(
          Locale.ROOT,
          "%s; batch %d: %.2f ms a picture (5%% %.2f, 95%% %.2f; %d calls), %.1f pictures/s",
          engine,
          batch,
          median,
          p5,
          p95,
          calls,
          picturesPerSecond());
    }
  }

  /**
   * Warms up, then times single calls.
   *
   * @param engine to be timed
   * @param batch pictures a call, at least 1
   * @param warmUp calls that are not timed, 0 or more; some dozens let the compiler finish
   * @param calls timed calls, at least 1
   */
  public static Result run(Engine engine, int batch, int warmUp, int calls) {
    if (batch < 1 || warmUp < 0 || calls < 1) {
      throw new IllegalArgumentException(
          "batch %d, warm-up %d, calls %d".formatted(batch, warmUp, calls));
    }
    byte[] codes = new byte[Math.multiplyExact(batch, engine.graph().architecture().pixels())];
    new Random(1).nextBytes(codes);
    for (int i = 0; i < warmUp; i++) {
      engine.logits(codes, batch);
    }
    double[] times = new double[calls];
    for (int i = 0; i < calls; i++) {
      long start = System.nanoTime();
      engine.logits(codes, batch);
      times[i] = (System.nanoTime() - start) / 1e6 / batch;
    }
    return result(engine.description(), batch, times);
  }

  static Result result(String engine, int batch, double[] times) {
    Timings timings = new Timings(times);
    return new Result(
        engine,
        batch,
        timings.calls(),
        timings.median(),
        timings.quantile(0.05),
        timings.quantile(0.95));
  }
}
