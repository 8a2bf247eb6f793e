package org.ivit.serve.http;

import java.util.concurrent.Executor;
import org.ivit.serve.batch.Batcher;
import org.ivit.serve.model.InputMaker;
import org.ivit.serve.model.ModelDescription;
import org.ivit.serve.model.Runner;

/** A model under its name. */
final class ServedModel implements AutoCloseable {
  private final String name;
  private final ModelDescription description;
  private final InputMaker maker;
  private final Batcher batcher;

  /**
   * @param answering runs what hangs on outcomes
   */
  ServedModel(
      String name,
      Runner runner,
      ServerOptions options,
      ServerMetrics metrics,
      Executor answering) {
    this.name = name;
    this.description = runner.description();
    this.maker = new InputMaker(description.preprocess(), options.pixels());
    this.batcher =
        new Batcher(
            "ivit-batch-" + name,
            runner,
            options.batch(),
            options.mostWaiting(),
            metrics.batches(name),
            answering);
  }

  String name() {
    return name;
  }

  ModelDescription description() {
    return description;
  }

  InputMaker maker() {
    return maker;
  }

  Batcher batcher() {
    return batcher;
  }

  @Override
  public void close() {
    batcher.close();
  }
}
