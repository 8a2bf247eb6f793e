package org.ivit.core.engine;

import org.ivit.core.graph.IntegerGraph;

/**
 * Runs an integer graph. Every engine computes the same integers. Instances may be used by several
 * threads at once.
 */
public interface Engine extends AutoCloseable {
  /** Returns the name by which it is chosen, such as {@code reference} or {@code cpu}. */
  String name();

  /** Returns in one line what it runs on and why it was chosen. */
  String description();

  /** Returns which kernels it runs, why, and on which processor. */
  Backend backend();

  /** Returns the graph that it runs. */
  IntegerGraph graph();

  /**
   * Classifies pictures.
   *
   * @param codes 8-bit input codes, [pictures][3][height][width], of {@link
   *     org.ivit.core.graph.PixelTable} or of quantized normalised pixels
   * @param pictures number of pictures, any from 1
   * @return logits on the scale {@link IntegerGraph#logitScale}, [pictures][classes]
   */
  int[] logits(byte[] codes, int pictures);

  /** Frees what it holds; later calls throw {@link IllegalStateException}. */
  @Override
  void close();
}
