package org.ivit.train.loop;

import java.util.Arrays;
import org.ivit.core.architecture.Answer;
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
import org.ivit.train.network.Teacher;
import org.ivit.train.network.TransformerNetwork;
import org.ivit.train.operator.CosineDistance;

/**
 * Top-1 and cross entropy of a network on a set of pictures, or of features {@code 1 − cosine} to
 * the teacher's: in integers by the engine of the device that trains.
 */
final class Validation {
  private static final int BATCH = 16;

  /**
   * The outcome of all pictures; of a batch, with the sum of the losses.
   *
   * @param right pictures answered right; 0 of features
   * @param pictures all pictures that could be read
   * @param loss mean cross entropy, or of features the mean of 1 − cosine
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
  private final Teacher teacher;

  /**
   * @param gpu that computes; null for the processor
   * @param teacher that features are compared with; not asked where classes are answered
   */
  Validation(
      Dataset set,
      EvaluationTransform transform,
      OnCorrupt onCorrupt,
      Gpu gpu,
      WorkerPool pool,
      int threads,
      Teacher teacher) {
    this.set = set;
    this.transform = transform;
    this.onCorrupt = onCorrupt;
    this.gpu = gpu;
    this.pool = pool;
    this.threads = threads;
    this.teacher = teacher;
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
      return run(network::logits, judge(network), progress);
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
          judge(network),
          progress);
    }
  }

  private Engine open(IntegerGraph graph) {
    return gpu == null
        ? new PortableEngine(graph, pool, "validation")
        : CudaEngine.open(graph, gpu, "validation");
  }

  /** What a batch of answers is worth. */
  private interface Judge {
    Result of(double[] answers, float[] pixels, int[] labels, int pictures);
  }

  private Judge judge(TransformerNetwork network) {
    return network.options().architecture().answer() == Answer.FEATURES
        ? this::features
        : (answers, pixels, labels, pictures) -> classes(answers, labels, pictures);
  }

  private Result features(double[] answers, float[] pixels, int[] labels, int pictures) {
    float[] expected = teacher.features(pixels, pictures);
    CosineDistance distance = new CosineDistance();
    int width = answers.length / pictures;
    double loss = 0;
    double[] target = new double[width];
    for (int n = 0; n < pictures; n++) {
      for (int c = 0; c < width; c++) {
        target[c] = expected[n * width + c];
      }
      loss += distance.row(Arrays.copyOfRange(answers, n * width, (n + 1) * width), target, null);
    }
    return new Result(0, pictures, loss);
  }

  private static Result classes(double[] logits, int[] labels, int pictures) {
    int classes = logits.length / pictures;
    int right = 0;
    double loss = 0;
    for (int n = 0; n < pictures; n++) {
      right += argMax(logits, n * classes, classes) == labels[n] ? 1 : 0;
      loss += crossEntropy(logits, n * classes, classes, labels[n]);
    }
    return new Result(right, pictures, loss);
  }

  private Result run(Answers answers, Judge judge, Progress progress) {
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
          float[] batch = Arrays.copyOf(pixels, count * size);
          Result sums = judge.of(answers.logits(batch, count), batch, labels, count);
          right += sums.right;
          loss += sums.loss;
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
