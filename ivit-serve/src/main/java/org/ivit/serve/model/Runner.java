package org.ivit.serve.model;

import java.util.List;

/** A model that answers batches, for {@link #batchesAtOnce} threads at a time. */
public interface Runner extends AutoCloseable {
  /** What is known of it. */
  ModelDescription description();

  /**
   * How many batches it runs at once, at least 1. With a second one its threads have work while the
   * last pictures of the first are computed.
   */
  default int batchesAtOnce() {
    return 1;
  }

  /**
   * Answers a batch. An answer does not depend on the others of the batch.
   *
   * @param inputs at least one
   * @return in their order
   */
  List<Answer> run(List<Input> inputs);

  /** Frees what it holds. */
  @Override
  void close();
}
