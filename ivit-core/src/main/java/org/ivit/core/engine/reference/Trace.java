package org.ivit.core.engine.reference;

/**
 * Receives the codes of every node, by the names of {@code docs/arithmetic.md#nodes} and {@code
 * …attn.softmax}.
 */
@FunctionalInterface
public interface Trace {
  /** Keeps nothing. */
  Trace NONE = (node, codes) -> {};

  /**
   * @param node full node name
   * @param codes a {@code byte[]}, {@code short[]} or {@code int[]} of the node's width, row-major;
   *     not to be changed
   */
  void node(String node, Object codes);
}
