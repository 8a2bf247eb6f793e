package org.ivit.train.network;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.calibration.ObservingForward;
import org.ivit.core.calibration.PublishedObserver;
import org.ivit.core.engine.portable.PortableMatrixProducts;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.core.scheme.Scheme;
import org.ivit.train.memory.RealType;
import org.ivit.train.operator.RangeMode;
import org.ivit.train.step.MicroBatch;
import org.nd4j.linalg.schedule.FixedSchedule;

/**
 * Times whole training steps on random pictures and initial weights: forward and backward pass,
 * clipping, AdamW, and in integers the collection of ranges. Reading pictures is no part of it.
 */
public final class StepBenchmark {
  private static final double RATE = 1e-5;

  private StepBenchmark() {}

  /**
   * What was measured, in seconds of wall time.
   *
   * @param architecture name of the model
   * @param quantized whether it computed integers
   * @param batch pictures a step
   * @param threads threads of the pool
   * @param steps timed steps
   * @param median half of the steps were faster
   * @param fastest the shortest step
   * @param slowest the longest step
   */
  public record Result(
      String architecture,
      boolean quantized,
      int batch,
      int threads,
      int steps,
      double median,
      double fastest,
      double slowest) {
    /** Returns one line for people. */
    @Override
    public String toString() {
      return String.format(
          Locale.ROOT,
          "%s, %s step, batch %d, %d threads: %.3f s (%.3f to %.3f; %d steps), %.1f pictures/s",
          architecture,
          quantized ? "integer" : "float",
          batch,
          threads,
          median,
          fastest,
          slowest,
          steps,
          batch / median);
    }
  }

  /**
   * Warms up, then times single steps.
   *
   * @param architecture sizes
   * @param scheme how the network is quantized, with moving ranges; null for floating point
   * @param batch pictures a step, at least 1
   * @param warmUp steps that are not timed, 0 or more; some let the compiler finish
   * @param steps timed steps, at least 1
   * @param pool threads
   */
  public static Result run(
      Architecture architecture, Scheme scheme, int batch, int warmUp, int steps, WorkerPool pool) {
    if (batch < 1 || warmUp < 0 || steps < 1) {
      throw new IllegalArgumentException(
          "batch %d, warm-up %d, steps %d".formatted(batch, warmUp, steps));
    }
    MicroBatch pictures = pictures(architecture, batch);
    AdamW optimizer = new AdamW(new FixedSchedule(RATE), 0.05, 0.9, 0.999, 1e-8);
    TransformerNetwork network =
        TransformerNetwork.build(
            new NetworkOptions(architecture, scheme, RealType.FLOAT32, 1, optimizer, 0.1, 0, 1),
            pool);
    if (scheme != null) {
      ObservingForward calibration =
          new ObservingForward(
              architecture,
              network.weights(),
              scheme,
              new PortableMatrixProducts(pool),
              new PublishedObserver());
      calibration.run(pictures.pixels(), batch);
      network.ranges(calibration.ranges());
      network.rangeMode(RangeMode.LAGGED);
    }
    TrainingStep step = new TrainingStep(network, 1);
    for (int i = 0; i < warmUp; i++) {
      step.run(List.of(pictures));
    }
    double[] seconds = new double[steps];
    for (int i = 0; i < steps; i++) {
      long start = System.nanoTime();
      step.run(List.of(pictures));
      seconds[i] = (System.nanoTime() - start) / 1e9;
    }
    Arrays.sort(seconds);
    double median = (seconds[steps / 2] + seconds[(steps - 1) / 2]) / 2;
    return new Result(
        architecture.name(),
        scheme != null,
        batch,
        pool.threads(),
        steps,
        median,
        seconds[0],
        seconds[steps - 1]);
  }

  private static MicroBatch pictures(Architecture architecture, int batch) {
    SplittableRandom random = new SplittableRandom(1);
    float[] pixels = new float[batch * architecture.pixels()];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (float) random.nextGaussian();
    }
    float[] targets = new float[batch * architecture.classes()];
    long[] keys = new long[batch];
    for (int i = 0; i < batch; i++) {
      targets[i * architecture.classes() + i % architecture.classes()] = 1;
      keys[i] = i;
    }
    return new MicroBatch(pixels, targets, batch, keys);
  }
}
