package org.ivit.core.architecture;

/**
 * A node of the integer network: a tensor of codes with one scale.
 *
 * @param name full name, as in trace files, run files and checkpoints, such as {@code
 *     blocks.3.attn.qkv}
 * @param kind what it is
 */
public record Node(String name, NodeKind kind) {
  /** The pixels. */
  public static final Node INPUT = new Node("input", NodeKind.PIXELS);

  /** Width of its codes. */
  public int bits() {
    return kind.bits();
  }

  /** Returns the name. */
  @Override
  public String toString() {
    return name;
  }
}
