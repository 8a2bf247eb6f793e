package org.ivit.serve.model;

import java.util.List;

/** A model that answers batches, for one thread at a time. */
public interface Runner extends AutoCloseable {
  /** What is known of it. */
  ModelDescription description();

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
