package org.ivit.core.engine;

import org.ivit.core.architecture.Answer;
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

  /** Returns what the numbers mean that {@link #logits} answers. */
  default Answer answer() {
    return graph().architecture().answer();
  }

  /**
   * Answers pictures: with scores of classes, or with features where {@link #answer} says so.
   *
   * @param codes 8-bit input codes, [pictures][3][height][width], of {@link
   *     org.ivit.core.arithmetic.PixelTable} or of quantized normalised pixels
   * @param pictures number of pictures, any from 1
   * @return logits or features on the scale {@link IntegerGraph#logitScale}, [pictures][{@link
   *     org.ivit.core.architecture.Architecture#classes}]
   */
  int[] logits(byte[] codes, int pictures);

  /** Frees what it holds; later calls throw {@link IllegalStateException}. */
  @Override
  void close();
}
