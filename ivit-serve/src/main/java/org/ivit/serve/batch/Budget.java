package org.ivit.serve.batch;

/** So much of something as may be in use at once. */
public final class Budget {
  private final long size;
  private long taken;

  /**
   * @param size at least 1
   */
  public Budget(long size) {
    this.size = size;
  }

  /** Takes a part, unless there is not so much left. */
  public synchronized boolean tryTake(long part) {
    if (part > size - taken) {
      return false;
    }
    taken += part;
    return true;
  }

  /** Gives a part back. */
  public synchronized void give(long part) {
    taken -= part;
  }

  /** How much there is in all. */
  public long size() {
    return size;
  }

  /** How much is in use. */
  public synchronized long taken() {
    return taken;
  }
}
