package org.ivit.serve.http;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.ivit.serve.batch.Job;
import org.ivit.serve.batch.Outcome;
import org.ivit.serve.model.InputMaker;
import org.ivit.serve.protocol.Pictures;

/** The way of a request's pictures: bytes, inputs on a few threads, batches, answers. */
final class Answering implements AutoCloseable {
  private static final long MOST_KEPT = 16L << 20;

  private final int requestBytes;
  private final Bodies bodies;
  private final ServerMetrics metrics;
  private final ExecutorService decoders;

  /**
   * What was computed for a request.
   *
   * @param made the inputs
   * @param outcomes of each
   */
  record Answered(List<InputMaker.Made> made, List<Outcome> outcomes) {}

  Answering(ServerOptions options, ServerMetrics metrics) {
    this.requestBytes = options.requestBytes();
    this.bodies = new Bodies(requestBytes, Math.min(MOST_KEPT, options.pendingBytes() / 4));
    this.metrics = metrics;
    AtomicInteger number = new AtomicInteger();
    this.decoders =
        Executors.newFixedThreadPool(
            options.threads(),
            task -> {
              Thread thread = new Thread(task, "ivit-decode-" + number.getAndIncrement());
              thread.setDaemon(true);
              return thread;
            });
  }

  /**
   * Reads a body; what follows runs on the threads that decode.
   *
   * @return fails with an {@link HttpFailure} if it is too long, or there is no room for it now
   */
  CompletableFuture<Body> body(Exchange exchange) {
    long length = exchange.takeBody(requestBytes);
    return bodies
        .read(exchange.request(), length)
        .thenApplyAsync(
            body -> {
              exchange.read();
              return body;
            },
            decoders);
  }

  /** Lets another request use the array of a body, which nobody may read from now on. */
  void recycle(Body body) {
    bodies.recycle(body);
  }

  /**
   * Answers pictures, for which room was taken. When it has, nobody reads them any more; where it
   * fails, or never does, somebody may.
   */
  CompletableFuture<Answered> answer(Exchange exchange, ServedModel model, Pictures pictures) {
    if (pictures.count() == 1) {
      return run(exchange, model, List.of(make(exchange, model, pictures, 0)));
    }
    List<CompletableFuture<InputMaker.Made>> making = new ArrayList<>(pictures.count());
    for (int i = 0; i < pictures.count(); i++) {
      int index = i;
      making.add(
          CompletableFuture.supplyAsync(() -> make(exchange, model, pictures, index), decoders));
    }
    return all(making).thenCompose(made -> run(exchange, model, made));
  }

  private InputMaker.Made make(Exchange exchange, ServedModel model, Pictures pictures, int index) {
    if (exchange.over()) {
      throw new IllegalStateException("nobody waits for the picture any more");
    }
    InputMaker.Made made = pictures.make(model.maker(), index);
    metrics.made(model.name(), made);
    return made;
  }

  private CompletableFuture<Answered> run(
      Exchange exchange, ServedModel model, List<InputMaker.Made> made) {
    List<Job> jobs = made.stream().map(one -> model.batcher().submit(one.input())).toList();
    exchange.submitted(jobs);
    return all(jobs.stream().map(Job::outcome).toList())
        .thenApply(
            outcomes -> {
              exchange.answered(outcomes);
              outcomes.forEach(outcome -> metrics.answered(model.name(), outcome));
              return new Answered(made, outcomes);
            });
  }

  /** All of them in their order, or the first failure. */
  private static <T> CompletableFuture<List<T>> all(List<CompletableFuture<T>> futures) {
    return CompletableFuture.allOf(futures.toArray(CompletableFuture[]::new))
        .thenApply(done -> futures.stream().map(CompletableFuture::join).toList());
  }

  @Override
  public void close() {
    decoders.shutdown();
  }
}
