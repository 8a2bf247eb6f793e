package org.ivit.serve.batch;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.ivit.serve.model.Input;

/** A picture that waits for its batch, and then for its answer. */
public final class Job {
  private enum State {
    WAITING,
    BEGUN,
    CANCELLED
  }

  private final Input input;
  private final long submitted = System.nanoTime();
  private final AtomicReference<State> state = new AtomicReference<>(State.WAITING);
  private final CompletableFuture<Outcome> outcome = new CompletableFuture<>();

  Job(Input input) {
    this.input = input;
  }

  Input input() {
    return input;
  }

  long submitted() {
    return submitted;
  }

  /** Takes it into a batch, unless it was cancelled before. */
  boolean begin() {
    return state.compareAndSet(State.WAITING, State.BEGUN);
  }

  /** Takes it out of the queue, unless its batch has begun. */
  public void cancel() {
    state.compareAndSet(State.WAITING, State.CANCELLED);
  }

  /** Whether its batch has begun. */
  public boolean begun() {
    return state.get() == State.BEGUN;
  }

  /** What becomes of it; never, where it was cancelled. */
  public CompletableFuture<Outcome> outcome() {
    return outcome;
  }
}
