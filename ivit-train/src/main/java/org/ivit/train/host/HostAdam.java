package org.ivit.train.host;

import org.ivit.core.parallel.WorkerPool;
import org.ivit.train.memory.AdamKernel;
import org.ivit.train.memory.RealType;
import org.ivit.train.memory.Reals;
import org.ivit.train.step.AdamSettings;

/**
 * AdamW over one vector of all parameters, in the steps and rounding of Deeplearning4j's updater.
 */
final class HostAdam {
  private static final int BLOCK = 4096;

  private final byte[] kinds;
  private final float averageDecay;
  private final WorkerPool pool;
  private final Reals m;
  private final Reals v;
  private final Reals update;
  private final Reals average;

  /**
   * @param kinds of each parameter: 0 does not move, 1 moves, 2 decays too
   * @param averageDecay of the moving average; 0 for none
   * @param pool threads
   */
  HostAdam(byte[] kinds, double averageDecay, WorkerPool pool) {
    this.kinds = kinds;
    this.averageDecay = (float) averageDecay;
    this.pool = pool;
    m = Reals.allocate(RealType.FLOAT32, kinds.length);
    v = Reals.allocate(RealType.FLOAT32, kinds.length);
    update = Reals.allocate(RealType.FLOAT32, kinds.length);
    average = averageDecay > 0 ? Reals.allocate(RealType.FLOAT32, kinds.length) : null;
  }

  Reals firstMoments() {
    return m;
  }

  Reals secondMoments() {
    return v;
  }

  Reals average() {
    if (average == null) {
      throw new IllegalStateException("no moving average");
    }
    return average;
  }

  /** {@code to += from}. */
  void add(Reals from, Reals to) {
    blocks(
        (at, n) -> {
          float[] a = read(from, at, n);
          float[] b = read(to, at, n);
          for (int i = 0; i < n; i++) {
            b[i] += a[i];
          }
          to.put(at, b, 0, n);
        });
  }

  /**
   * Moves parameters and average.
   *
   * @param gradient summed over the pictures
   * @param clip factor of the gradient
   */
  void move(Reals parameters, Reals gradient, int pictures, double clip, AdamSettings settings) {
    blocks(
        (at, n) -> {
          float[] g = read(gradient, at, n);
          for (int i = 0; i < n; i++) {
            float clipped = clip == 1 ? g[i] : g[i] * (float) clip;
            g[i] = kinds[at + i] == 0 ? 0 : clipped / pictures;
          }
          update.put(at, g, 0, n);
        });
    adam(settings);
    float decay = (float) (settings.learningRate() * settings.weightDecay());
    blocks((at, n) -> subtract(parameters, decay, at, n));
  }

  private void subtract(Reals parameters, float decay, int at, int n) {
    float[] p = read(parameters, at, n);
    float[] u = read(update, at, n);
    for (int i = 0; i < n; i++) {
      if (kinds[at + i] != 0) {
        p[i] -= kinds[at + i] == 2 ? u[i] + decay * p[i] : u[i];
      }
    }
    parameters.put(at, p, 0, n);
    if (average != null) {
      follow(p, at, n);
    }
  }

  private void follow(float[] parameters, int at, int n) {
    float[] kept = read(average, at, n);
    for (int i = 0; i < n; i++) {
      if (kinds[at + i] != 0) {
        kept[i] = averageDecay * kept[i] + (1 - averageDecay) * parameters[i];
      }
    }
    average.put(at, kept, 0, n);
  }

  private void adam(AdamSettings settings) {
    double rate = settings.correctedRate();
    if (AdamKernel.serves(update)) {
      AdamKernel.update(
          pool, update, m, v, settings.beta1(), settings.beta2(), rate, settings.epsilon());
      return;
    }
    float beta1 = (float) settings.beta1();
    float beta2 = (float) settings.beta2();
    float epsilon = (float) settings.epsilon();
    blocks(
        (at, n) -> {
          float[] g = read(update, at, n);
          float[] first = read(m, at, n);
          float[] second = read(v, at, n);
          for (int i = 0; i < n; i++) {
            first[i] = beta1 * first[i] + (1 - beta1) * g[i];
            second[i] = beta2 * second[i] + (1 - beta2) * g[i] * g[i];
            g[i] = (float) rate * first[i] / ((float) Math.sqrt(second[i]) + epsilon);
          }
          m.put(at, first, 0, n);
          v.put(at, second, 0, n);
          update.put(at, g, 0, n);
        });
  }

  private interface Block {
    void accept(int at, int n);
  }

  private void blocks(Block body) {
    pool.ranges(
        kinds.length,
        BLOCK,
        (from, to, part) -> {
          for (int at = from; at < to; at += BLOCK) {
            body.accept(at, Math.min(BLOCK, to - at));
          }
        });
  }

  private static float[] read(Reals vector, int at, int n) {
    float[] values = new float[n];
    vector.get(at, values, 0, n);
    return values;
  }
}
