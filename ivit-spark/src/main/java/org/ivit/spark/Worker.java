package org.ivit.spark;

import java.util.function.Function;
import org.apache.spark.TaskContext;
import org.ivit.core.InputException;
import org.ivit.core.parallel.WorkerPool;

/**
 * What an executor keeps from task to task: one model with all that belongs to it. Tasks of another
 * job replace it; two tasks at once take turns.
 *
 * @param <J> what it is made from
 * @param <W> what is kept
 */
final class Worker<J, W extends AutoCloseable> {
  private J job;
  private W kept;

  /** Makes what is kept, for so many threads. */
  interface Opening<J, W> {
    W open(J job, int threads);
  }

  /**
   * Runs a task.
   *
   * @param wanted what the task belongs to
   * @param opening makes what is kept
   * @param body the task
   * @param refused what the task's result is where the user has to do something, by message
   */
  synchronized <R> R run(
      J wanted, Opening<J, W> opening, Function<W, R> body, Function<String, R> refused) {
    try {
      JavaVersion.require("executor on " + host());
      if (!wanted.equals(job)) {
        close();
        kept = opening.open(wanted, threads());
        job = wanted;
      }
      return body.apply(kept);
    } catch (InputException e) {
      return refused.apply(e.getMessage());
    }
  }

  private static int threads() {
    int cores = TaskContext.get().cpus();
    return cores > 0 ? WorkerPool.configuredThreads(cores) : WorkerPool.configuredThreads();
  }

  private static String host() {
    return org.apache.spark.SparkEnv.get().blockManager().blockManagerId().host();
  }

  private void close() {
    W old = kept;
    kept = null;
    job = null;
    if (old == null) {
      return;
    }
    try {
      old.close();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }
}
