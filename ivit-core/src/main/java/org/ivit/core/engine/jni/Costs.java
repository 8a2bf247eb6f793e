package org.ivit.core.engine.jni;

/**
 * What the split of work goes by: times of one thread that has its data at hand, and what threads
 * cost each other. They decide how work is split, never what comes out.
 *
 * @param products multiply-adds in a nanosecond
 * @param output nanoseconds for an accumulator that becomes a code: requantization, GELU, softmax
 * @param norm nanoseconds for a channel of a norm
 * @param pack nanoseconds for a code of keys or values
 * @param bandwidth bytes of weights in a nanosecond, from a cache that threads share
 * @param part nanoseconds to hand a part to a thread
 * @param barrier nanoseconds until two threads know of each other that they are done
 */
record Costs(
    double products,
    double output,
    double norm,
    double pack,
    double bandwidth,
    double part,
    double barrier) {
  /**
   * One core with AVX512-VNNI ({@code docs/performance.md}). Slower kernels lose less by reading
   * weights and waiting, so what suits these does not hurt them.
   */
  static final Costs VNNI = new Costs(300, 0.1, 0.43, 0.12, 12, 400, 1000);

  /** Rows that pass over weights together: {@code IVIT_CHUNK}. */
  private static final int CHUNK = 120;

  /** The same with other products, all else slower by as much as the rest of a picture is. */
  Costs slower(double otherProducts, double rest) {
    return new Costs(
        otherProducts, output * rest, norm * rest, pack * rest, bandwidth, part, barrier);
  }

  /** Nanoseconds for some rows and units of a phase in one thread. */
  double of(PhaseWork work, int rows, int units) {
    double cells = (double) rows * units;
    int passes = (rows + CHUNK - 1) / CHUNK;
    double reading = (double) passes * units * work.weights() / bandwidth;
    int groups = (rows + work.group() - 1) / work.group();
    return part
        + Math.max(cells * work.products() / products, reading)
        + cells * work.outputs() * output
        + (double) rows * work.normed() * norm
        + (double) groups * units * work.packed() * pack;
  }

  /** Nanoseconds for a phase of several pictures, up to and with the barrier at its end. */
  double of(Split split, int pictures, int threads) {
    long parts = (long) pictures * split.parts();
    long rounds = (parts + threads - 1) / threads;
    double waiting = barrier * Math.max(1, Math.log(threads) / Math.log(2));
    return rounds * of(split.work(), split.mostRows(), split.mostUnits()) + waiting;
  }

  /** Nanoseconds for a picture in one thread. */
  double of(Iterable<StepWork> steps) {
    double sum = 0;
    for (StepWork step : steps) {
      sum += of(step.whole(), step.whole().rows(), step.whole().units());
    }
    return sum;
  }
}
