package org.ivit.core.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.checkpoint.IntegerCheckpoint;
import org.ivit.core.engine.Engine;
import org.ivit.core.engine.choice.Engines;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.core.parallel.FreeList;
import org.ivit.core.parallel.WorkerPool;

/** Runs an engine on pictures for any number of callers, and ends when they are done. */
final class PictureAnswers implements AutoCloseable {
  private static final long IDLE_SECONDS = 10;

  private final IntegerCheckpoint checkpoint;
  private final PictureInput input;
  private final int batchSize;
  private final WorkerPool pool;
  private final Engine engine;

  /** Codes of as many pictures as are run at once: of many batches they are made once. */
  private final FreeList<byte[]> wholeBatches;

  private final ThreadPoolExecutor executor;
  private final CallGate gate = new CallGate();

  /** The futures that are not done, by their pictures' place in the queue. */
  private final Map<Long, CompletableFuture<?>> pending = new ConcurrentHashMap<>();

  private final AtomicLong asked = new AtomicLong();

  PictureAnswers(OpenedCheckpoint opened) {
    this.checkpoint = opened.checkpoint();
    ModelOptions options = opened.options();
    this.batchSize = options.batchSize();
    this.pool = options.engine().pool();
    this.input =
        new PictureInput(
            checkpoint.preprocess(), checkpoint.graph().inputScale(), options.mostPixels());
    this.engine = Engines.open(checkpoint.graph(), options.engine());
    this.wholeBatches = new FreeList<>(() -> codes(batchSize));
    this.executor =
        new ThreadPoolExecutor(
            pool.threads(),
            pool.threads(),
            IDLE_SECONDS,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            task -> {
              Thread thread = new Thread(task, "ivit-model");
              thread.setDaemon(true);
              return thread;
            });
    executor.allowCoreThreadTimeOut(true);
  }

  ModelInfo info() {
    IntegerGraph graph = checkpoint.graph();
    Architecture architecture = graph.architecture();
    return new ModelInfo(
        architecture.name(),
        architecture.family(),
        architecture.answer(),
        ClassLabel.of(checkpoint.classes()),
        architecture.classes(),
        graph.logitScale(),
        architecture.image(),
        graph.inputScale(),
        checkpoint.preprocess(),
        checkpoint.provenance(),
        engine.name(),
        engine.backend());
  }

  /** The integers of each picture. */
  List<int[]> of(List<Picture> pictures) {
    gate.enter();
    try {
      List<int[]> answers = new ArrayList<>(pictures.size());
      for (int from = 0; from < pictures.size(); from += batchSize) {
        run(pictures, from, Math.min(pictures.size(), from + batchSize), answers);
      }
      return answers;
    } finally {
      gate.leave();
    }
  }

  private void run(List<Picture> pictures, int from, int end, List<int[]> answers) {
    if (end - from == batchSize) {
      wholeBatches.with(codes -> run(pictures, from, end, codes, answers));
    } else {
      run(pictures, from, end, codes(end - from), answers);
    }
  }

  private byte[] codes(int pictures) {
    return new byte[Math.multiplyExact(pictures, checkpoint.graph().architecture().pixels())];
  }

  private void run(List<Picture> pictures, int from, int end, byte[] codes, List<int[]> answers) {
    int pixels = codes.length / (end - from);
    pool.run(
        end - from,
        i -> pictures.get(from + i).codes(input, name(pictures, from + i), codes, i * pixels));
    int[] all = engine.logits(codes, end - from);
    int width = all.length / (end - from);
    for (int at = 0; at < all.length; at += width) {
      answers.add(Arrays.copyOfRange(all, at, at + width));
    }
  }

  private static String name(List<Picture> pictures, int index) {
    return pictures.size() == 1 ? "picture" : "picture " + index;
  }

  /**
   * What is made of the integers of a picture, by a thread of the model.
   *
   * @param result of the integers
   */
  <R> CompletableFuture<R> async(Picture picture, Function<int[], R> result) {
    CompletableFuture<R> future = new CompletableFuture<>();
    long place = asked.getAndIncrement();
    Runnable task =
        () -> {
          Runnable outcome;
          try {
            outcome = outcome(future, picture, result);
          } finally {
            gate.leave();
          }
          // What hangs on the future runs here, and may close the model.
          try {
            outcome.run();
          } finally {
            pending.remove(place);
          }
        };
    // One step for who closes: it finds in the queue all that was let in.
    synchronized (gate) {
      gate.enter();
      pending.put(place, future);
      try {
        executor.execute(task);
      } catch (RuntimeException | Error noThread) {
        pending.remove(place);
        gate.leave();
        throw noThread;
      }
    }
    return future;
  }

  private <R> Runnable outcome(
      CompletableFuture<R> future, Picture picture, Function<int[], R> result) {
    if (future.isDone()) {
      return () -> {};
    }
    try {
      List<int[]> answer = new ArrayList<>(1);
      run(List.of(picture), 0, 1, answer);
      R value = result.apply(answer.get(0));
      return () -> future.complete(value);
    } catch (RuntimeException | Error e) {
      return () -> future.completeExceptionally(e);
    }
  }

  @Override
  public void close() {
    gate.close();
    // The threads may all be held up by what hangs on futures: the queue is emptied here too.
    for (Runnable task = executor.getQueue().poll();
        task != null;
        task = executor.getQueue().poll()) {
      task.run();
    }
    gate.awaitEmpty();
    pending.values().forEach(PictureAnswers::awaitDone);
    executor.shutdown();
    engine.close();
  }

  /** Its answer is there and about to be set: nothing else is waited for. */
  private static void awaitDone(CompletableFuture<?> future) {
    try {
      future.join();
    } catch (CompletionException | CancellationException failed) {
      // Whoever holds the future hears of it.
    }
  }
}
