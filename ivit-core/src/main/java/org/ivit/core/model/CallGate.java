package org.ivit.core.model;

/** Counts calls, and lets none in once it is closed. */
final class CallGate {
  private int inside;
  private boolean closed;

  /**
   * Lets a call in; it may leave in another thread.
   *
   * @throws IllegalStateException if the gate is closed
   */
  synchronized void enter() {
    if (closed) {
      throw new IllegalStateException("the model is closed");
    }
    inside++;
  }

  synchronized void leave() {
    inside--;
    notifyAll();
  }

  synchronized void close() {
    closed = true;
  }

  /** Waits until all calls have left, whatever interrupts it. */
  synchronized void awaitEmpty() {
    boolean interrupted = false;
    while (inside > 0) {
      try {
        wait();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
