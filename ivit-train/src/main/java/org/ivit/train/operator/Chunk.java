package org.ivit.train.operator;

import org.ivit.train.memory.Buffers;
import org.ivit.train.memory.RealType;

/**
 * Pictures of a batch that one thread takes through an operator, and what the operator keeps of
 * them between a forward and a backward pass.
 */
public final class Chunk {
  private final Buffers own;
  private final SeenRanges record = new SeenRanges();
  private boolean observed;
  private int first;
  private int count;
  private boolean training;
  private Buffers scratch;

  Chunk(RealType type) {
    own = new Buffers(type);
  }

  /** Forgets what was seen. */
  void observe(boolean isObserved) {
    observed = isObserved;
    record.clear();
  }

  /** Before its thread begins with it. */
  Chunk at(int firstPicture, int pictures, boolean isTraining, Buffers threadScratch) {
    first = firstPicture;
    count = pictures;
    training = isTraining;
    scratch = threadScratch;
    return this;
  }

  SeenRanges record() {
    return record;
  }

  /** Its first picture in the batch. */
  public int first() {
    return first;
  }

  /** Its pictures. */
  public int count() {
    return count;
  }

  /** Whether a backward pass follows, or this is one. */
  public boolean training() {
    return training;
  }

  /** Memory that the backward pass finds again; in a pass that is no training {@link #scratch}. */
  public Buffers keep() {
    return training ? own : scratch;
  }

  /** Memory of the thread. */
  public Buffers scratch() {
    return scratch;
  }

  /** Takes the values of nodes; null where nothing is recorded. */
  public SeenRanges seen() {
    return observed ? record : null;
  }
}
