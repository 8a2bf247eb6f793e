package org.ivit.spark;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.function.IntConsumer;
import org.apache.spark.api.java.JavaFutureAction;
import org.apache.spark.util.LongAccumulator;
import org.ivit.export.cluster.EvaluationJob;
import org.ivit.export.cluster.EvaluationPart;
import org.ivit.export.cluster.EvaluationWorker;

/**
 * Evaluation spread over executors. A picture's logits do not depend on its batch, so the result is
 * that of one machine, to the last bit.
 */
final class SparkEvaluation {
  /** Tasks an executor: enough that a slow one does not hold up the rest. */
  private static final int TASKS = 8;

  private static final Worker<EvaluationJob, EvaluationWorker> WORKER = new Worker<>();

  private final SparkCluster cluster;

  SparkEvaluation(SparkCluster cluster) {
    this.cluster = cluster;
  }

  /** Pictures {@code from} to {@code to} − 1. */
  private record Part(int from, int to) implements Serializable {}

  EvaluationPart run(EvaluationJob job, int pictures, IntConsumer progress) {
    List<Part> parts = parts(pictures, job.batch(), cluster.executors() * TASKS);
    LongAccumulator done = cluster.context().sc().longAccumulator();
    JavaFutureAction<List<EvaluationPart>> results =
        cluster
            .context()
            .parallelize(parts, parts.size())
            .map(
                part -> {
                  EvaluationPart result =
                      WORKER.run(
                          job,
                          EvaluationWorker::new,
                          worker ->
                              new EvaluationPart(
                                  part.from, worker.logits(part.from, part.to), null),
                          message -> new EvaluationPart(part.from, null, message));
                  done.add(part.to - part.from);
                  return result;
                })
            .collectAsync();
    int shown = 0;
    while (!results.isDone()) {
      SparkCluster.sleep();
      shown = show(done, shown, pictures, progress);
    }
    try {
      EvaluationPart all = EvaluationPart.join(results.get());
      progress.accept(pictures - shown);
      return all;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while waiting for Spark", e);
    } catch (ExecutionException e) {
      throw Failures.of(e.getCause());
    }
  }

  /** A task that is run again counts again, so never more than all. */
  private static int show(LongAccumulator done, int shown, int pictures, IntConsumer progress) {
    int now = (int) Math.min(pictures, done.value());
    if (now > shown) {
      progress.accept(now - shown);
    }
    return Math.max(now, shown);
  }

  /** Whole batches, about {@code count} parts. */
  private static List<Part> parts(int pictures, int batch, int count) {
    int batches = (pictures + batch - 1) / batch;
    int each = Math.max(1, batches / count) * batch;
    List<Part> parts = new ArrayList<>();
    for (int from = 0; from < pictures; from += each) {
      parts.add(new Part(from, Math.min(pictures, from + each)));
    }
    return parts;
  }
}
