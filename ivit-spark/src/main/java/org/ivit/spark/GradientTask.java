package org.ivit.spark;

import java.io.Serializable;
import org.apache.spark.TaskContext;
import org.apache.spark.broadcast.Broadcast;
import org.ivit.train.distributed.GradientJob;
import org.ivit.train.distributed.GradientPart;
import org.ivit.train.distributed.GradientWorker;
import org.ivit.train.distributed.StepRequest;
import scala.collection.Iterator;
import scala.jdk.javaapi.CollectionConverters;
import scala.runtime.AbstractFunction1;

/** A part of a step on an executor: the part of its partition's number. */
final class GradientTask extends AbstractFunction1<Iterator<Integer>, Iterator<GradientPart>>
    implements Serializable {
  private static final long serialVersionUID = 1L;
  private static final Worker<GradientJob, GradientWorker> WORKER = new Worker<>();

  private final GradientJob job;
  private final Broadcast<float[]> parameters;
  private final StepRequest request;
  private final int parts;

  GradientTask(GradientJob job, Broadcast<float[]> parameters, StepRequest request, int parts) {
    this.job = job;
    this.parameters = parameters;
    this.request = request;
    this.parts = parts;
  }

  @Override
  public Iterator<GradientPart> apply(Iterator<Integer> numbers) {
    int part = TaskContext.getPartitionId();
    GradientPart result =
        WORKER.run(
            job,
            GradientWorker::open,
            worker -> worker.gradients(parameters.value(), request, part, parts),
            GradientPart::refused);
    return CollectionConverters.asScala(java.util.List.of(result).iterator());
  }
}
