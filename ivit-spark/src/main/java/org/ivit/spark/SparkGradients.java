package org.ivit.spark;

import static java.util.concurrent.TimeUnit.MILLISECONDS;

import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.rdd.RDD;
import org.ivit.core.InputException;
import org.ivit.train.distributed.GradientJob;
import org.ivit.train.distributed.GradientPart;
import org.ivit.train.distributed.GradientService;
import org.ivit.train.distributed.StepRequest;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;

/**
 * Gradients of steps by executors: one broadcast of the parameters, one barrier stage with one part
 * an executor, one tree aggregation of gradients, losses and ranges.
 *
 * <p>A part follows from parameters and step alone. Where executors are lost, Spark runs a barrier
 * stage again, but gives up the job if it is the job's last stage; the step is then run again from
 * here, with the executors that are left or have come. An executor that holds up a step for longer
 * than {@link StepTimeout} is sent away.
 */
final class SparkGradients implements GradientService {
  private static final Logger LOG = LoggerFactory.getLogger(SparkGradients.class);
  private static final String GROUP = "ivit-step";
  private static final int ATTEMPTS = 4;
  private static final int DEPTH = 2;
  private static final ClassTag<GradientPart> TAG = ClassTag$.MODULE$.apply(GradientPart.class);

  private final SparkCluster cluster;
  private final GradientJob job;
  private final StepTimeout timeout = new StepTimeout(System.getProperty(StepTimeout.PROPERTY));
  private final ScheduledExecutorService clock =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "step-timeout");
            thread.setDaemon(true);
            return thread;
          });

  SparkGradients(SparkCluster cluster, GradientJob job) {
    this.cluster = cluster;
    this.job = job;
  }

  @Override
  public GradientPart gradients(float[] parameters, StepRequest request) {
    for (int attempt = 1; ; attempt++) {
      try {
        GradientPart sum = timed(parameters, request);
        // Refuses here, so that a refusal is not taken for a step.
        sum.gradient();
        return sum;
      } catch (InputException e) {
        throw e;
      } catch (Exception e) {
        if (attempt == ATTEMPTS || cluster.context().sc().isStopped()) {
          throw Failures.of(e);
        }
        LOG.warn("step again, attempt {}: {}", attempt + 1, Failures.reason(e));
      }
    }
  }

  private GradientPart timed(float[] parameters, StepRequest request) {
    long start = System.nanoTime();
    long limit = timeout.millis();
    cluster.context().setJobGroup(GROUP, "step", false);
    ScheduledFuture<?> late =
        limit == Long.MAX_VALUE
            ? null
            : clock.scheduleAtFixedRate(() -> late(limit), limit, limit, MILLISECONDS);
    try {
      GradientPart sum = once(parameters, request);
      timeout.add((System.nanoTime() - start) / 1_000_000);
      return sum;
    } finally {
      if (late != null) {
        late.cancel(false);
      }
      cluster.context().clearJobGroup();
    }
  }

  private void late(long limit) {
    int dropped = cluster.dropStragglers();
    LOG.warn("step: not done in {} s, executors sent away: {}", limit / 1000.0, dropped);
    if (dropped > 0) {
      cluster.context().cancelJobGroup(GROUP);
    }
  }

  private GradientPart once(float[] parameters, StepRequest request) {
    int parts = cluster.executors();
    Broadcast<float[]> broadcast = cluster.context().broadcast(parameters);
    try {
      RDD<Integer> numbers =
          cluster.context().parallelize(IntStream.range(0, parts).boxed().toList(), parts).rdd();
      RDD<GradientPart> gradients =
          numbers
              .barrier()
              .mapPartitions(new GradientTask(job, broadcast, request, parts), false, TAG);
      return new JavaRDD<>(gradients, TAG).treeReduce(GradientPart::plus, DEPTH);
    } finally {
      broadcast.destroy();
    }
  }

  @Override
  public String description() {
    return cluster.description();
  }

  @Override
  public void close() {
    // The cluster outlives a run.
    clock.shutdownNow();
  }
}
