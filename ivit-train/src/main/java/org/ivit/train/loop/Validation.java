package org.ivit.train.loop;

import org.ivit.core.arithmetic.Logits;
import org.ivit.core.arithmetic.Quantizer;
import org.ivit.core.cuda.Gpu;
import org.ivit.core.dataset.Dataset;
import org.ivit.core.dataset.OnCorrupt;
import org.ivit.core.dataset.PictureLoader;
import org.ivit.core.engine.Engine;
import org.ivit.core.engine.cuda.CudaEngine;
import org.ivit.core.engine.portable.PortableEngine;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.image.EvaluationTransform;
import org.ivit.core.parallel.WorkerPool;
import org.ivit.train.network.TransformerNetwork;

/**
 * Top-1 and cross entropy of a network on a set of pictures: in integers by the engine of the
 * device that trains.
 */
final class Validation {
  private static final int BATCH = 16;

  /**
   * The outcome.
   *
   * @param right pictures answered right
   * @param pictures all pictures that could be read
   * @param loss mean cross entropy
   */
  record Result(int right, int pictures, double loss) {
    double top1() {
      return pictures == 0 ? 0 : right / (double) pictures;
    }
  }

  private final Dataset set;
  private final EvaluationTransform transform;
  private final OnCorrupt onCorrupt;
  private final Gpu gpu;
  private final WorkerPool pool;
  private final int threads;

  /**
   * @param gpu that computes; null for the processor
   */
  Validation(
      Dataset set,
      EvaluationTransform transform,
      OnCorrupt onCorrupt,
      Gpu gpu,
      WorkerPool pool,
      int threads) {
    this.set = set;
    this.transform = transform;
    this.onCorrupt = onCorrupt;
    this.gpu = gpu;
    this.pool = pool;
    this.threads = threads;
  }

  /** Logits of a batch of normalised pixels. */
  private interface Answers {
    double[] logits(float[] pixels, int pictures);
  }

  /** Hears how many of the pictures are done. */
  @FunctionalInterface
  interface Progress {
    /**
     * @return whether to go on
     */
    boolean pictures(int done, int total);
  }

  /** Answers all pictures; null where the progress ended it. */
  Result run(TransformerNetwork network, Progress progress) {
    if (network.options().scheme() == null) {
      return run(network::logits, progress);
    }
    IntegerGraph graph = network.integerGraph();
    try (Engine engine = open(graph)) {
      return run(
          (pixels, pictures) -> {
            byte[] codes = Quantizer.codes8("pictures", pixels, graph.inputScale());
            int[] logits = engine.logits(codes, pictures);
            double[] values = new double[logits.length];
            for (int i = 0; i < values.length; i++) {
              values[i] = logits[i] * (double) graph.logitScale();
            }
            return values;
          },
          progress);
    }
  }

  private Engine open(IntegerGraph graph) {
    return gpu == null
        ? new PortableEngine(graph, pool, "validation")
        : CudaEngine.open(graph, gpu, "validation");
  }

  private Result run(Answers answers, Progress progress) {
    int right = 0;
    int pictures = 0;
    double loss = 0;
    try (PictureLoader<float[]> loader =
        new PictureLoader<>(
            set,
            PictureLoader.inOrder(set),
            (picture, index) -> transform.normalised(picture),
            onCorrupt,
            threads,
            2 * BATCH)) {
      float[] pixels = null;
      int[] labels = new int[BATCH];
      int count = 0;
      while (loader.hasNext()) {
        PictureLoader.Loaded<float[]> next = loader.next();
        int size = next.value().length;
        if (pixels == null) {
          pixels = new float[BATCH * size];
        }
        System.arraycopy(next.value(), 0, pixels, count * size, size);
        labels[count++] = next.label();
        if (count == BATCH || !loader.hasNext()) {
          double[] logits = answers.logits(java.util.Arrays.copyOf(pixels, count * size), count);
          for (int n = 0; n < count; n++) {
            int classes = logits.length / count;
            right += argMax(logits, n * classes, classes) == labels[n] ? 1 : 0;
            loss += crossEntropy(logits, n * classes, classes, labels[n]);
          }
          pictures += count;
          count = 0;
          if (!progress.pictures(pictures, set.size())) {
            return null;
          }
        }
      }
    }
    return new Result(right, pictures, pictures == 0 ? 0 : loss / pictures);
  }

  /** As {@link Logits#argMax}: ties go to the lower class. */
  private static int argMax(double[] logits, int from, int classes) {
    int best = 0;
    for (int c = 1; c < classes; c++) {
      if (logits[from + c] > logits[from + best]) {
        best = c;
      }
    }
    return best;
  }

  private static double crossEntropy(double[] logits, int from, int classes, int label) {
    double max = Double.NEGATIVE_INFINITY;
    for (int c = 0; c < classes; c++) {
      max = Math.max(max, logits[from + c]);
    }
    double sum = 0;
    for (int c = 0; c < classes; c++) {
      sum += Math.exp(logits[from + c] - max);
    }
    return max + Math.log(sum) - logits[from + label];
  }
}
