package org.ivit.spark;

import java.util.List;
import java.util.function.IntConsumer;
import org.apache.spark.api.java.JavaSparkContext;
import org.ivit.core.InputException;
import org.ivit.export.cluster.Cluster;
import org.ivit.export.cluster.EvaluationJob;
import org.ivit.export.cluster.EvaluationPart;
import org.ivit.train.distributed.GradientJob;
import org.ivit.train.distributed.GradientService;
import scala.jdk.javaapi.CollectionConverters;

/** An Apache Spark cluster. */
final class SparkCluster implements Cluster {
  private static final long WAIT_MILLIS = 120_000;
  private static final long POLL_MILLIS = 100;

  private final Master master;
  private final JavaSparkContext context;
  private final BusyExecutors tasks = new BusyExecutors();

  private SparkCluster(Master master, JavaSparkContext context) {
    this.master = master;
    this.context = context;
    context.sc().addSparkListener(tasks);
  }

  /**
   * Connects, and waits for executors.
   *
   * @param url the master's
   * @throws InputException if this is no Java that Spark runs on, or if there is no such master or
   *     none of its executors comes
   */
  static SparkCluster open(String url) {
    JavaVersion.require("--spark");
    Master master = Master.of(url);
    JavaSparkContext context;
    try {
      context = new JavaSparkContext(SparkSettings.of(master));
    } catch (Exception e) {
      throw new InputException("--spark: " + url + ": " + Failures.reason(e), e);
    }
    SparkCluster cluster = new SparkCluster(master, context);
    try {
      cluster.awaitExecutors();
      return cluster;
    } catch (RuntimeException e) {
      context.stop();
      throw e;
    }
  }

  private void awaitExecutors() {
    int wanted =
        context.getConf().getInt("spark.executor.instances", Math.min(master.executors(), 1 << 16));
    long end = System.currentTimeMillis() + WAIT_MILLIS;
    while (registered() < wanted && System.currentTimeMillis() < end) {
      sleep();
      if (context.sc().isStopped()) {
        throw new InputException(
            "--spark: "
                + master.url()
                + ": the master does not answer or has ended the application, expected a Spark"
                + " master there");
      }
    }
    if (wanted > 0 && registered() == 0) {
      throw new InputException(
          "--spark: "
              + master.url()
              + ": found no executor in "
              + WAIT_MILLIS / 1000
              + " s, expected at least one");
    }
  }

  static void sleep() {
    try {
      Thread.sleep(POLL_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while waiting for Spark", e);
    }
  }

  /** Executors that are there and were not sent away. */
  private int registered() {
    return tasks.staying(CollectionConverters.asJava(context.sc().getExecutorIds()));
  }

  /** Executors that there are now; 1 where work is done in this process. */
  int executors() {
    return Math.max(1, registered());
  }

  /**
   * Sends away the executors that still work while others wait for them.
   *
   * @return how many were sent away; none where all of them work, or where the cluster's manager
   *     cannot do it
   */
  int dropStragglers() {
    List<String> busy = tasks.busy();
    if (busy.isEmpty() || busy.size() >= executors()) {
      return 0;
    }
    if (!context.sc().killExecutors(CollectionConverters.asScala(busy).toSeq())) {
      return 0;
    }
    tasks.leave(busy);
    return busy.size();
  }

  JavaSparkContext context() {
    return context;
  }

  @Override
  public EvaluationPart evaluate(EvaluationJob job, int pictures, IntConsumer progress) {
    return new SparkEvaluation(this).run(job, pictures, progress);
  }

  @Override
  public GradientService gradients(GradientJob job) {
    return new SparkGradients(this, job);
  }

  @Override
  public String description() {
    return "Spark " + context.version() + " at " + master.url() + ", executors: " + executors();
  }

  @Override
  public void close() {
    context.stop();
  }
}
