package org.ivit.core.engine.cuda;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import org.ivit.core.cuda.Device;
import org.ivit.core.cuda.DeviceMemoryException;

/**
 * Runs that nobody uses, kept for reuse: the most recently used first, the least recently used is
 * let go of. As many exist as are used at once, and {@value #KEPT}.
 */
final class BatchRuns implements AutoCloseable {
  private static final int KEPT = 4;

  private final Device device;
  private final Forward forward;
  private final Deque<BatchRun> idle = new ArrayDeque<>();

  BatchRuns(Device device, Forward forward) {
    this.device = device;
    this.forward = forward;
  }

  /** Classifies so many pictures from picture {@code first} on. */
  void run(int pictures, byte[] codes, int first, int[] logits) {
    BatchRun run = take(pictures);
    boolean done = false;
    try {
      run.run(codes, first, logits);
      done = true;
    } finally {
      if (done) {
        give(run);
      } else {
        run.close();
      }
    }
  }

  private BatchRun take(int pictures) {
    synchronized (idle) {
      for (Iterator<BatchRun> runs = idle.iterator(); runs.hasNext(); ) {
        BatchRun run = runs.next();
        if (run.pictures() == pictures) {
          runs.remove();
          return run;
        }
      }
    }
    try {
      return new BatchRun(device, forward, pictures);
    } catch (DeviceMemoryException e) {
      close();
      return new BatchRun(device, forward, pictures);
    }
  }

  private void give(BatchRun run) {
    BatchRun oldest = null;
    synchronized (idle) {
      idle.addFirst(run);
      if (idle.size() > KEPT) {
        oldest = idle.removeLast();
      }
    }
    if (oldest != null) {
      oldest.close();
    }
  }

  /** Lets go of those that nobody uses. */
  @Override
  public void close() {
    synchronized (idle) {
      for (BatchRun run = idle.poll(); run != null; run = idle.poll()) {
        run.close();
      }
    }
  }
}
