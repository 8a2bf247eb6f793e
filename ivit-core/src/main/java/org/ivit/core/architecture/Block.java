package org.ivit.core.architecture;

/**
 * A transformer block in its place: name and sizes.
 *
 * @param name prefix of its nodes and parameters, such as {@code blocks.3} or {@code
 *     layers.0.blocks.1}
 * @param dim channels of a token, a multiple of {@code heads}
 * @param heads attention heads
 * @param hidden channels between the two linear layers of the MLP
 * @param tokens tokens of a picture
 * @param windows within which its tokens attend; null where all tokens of a picture do
 */
public record Block(String name, int dim, int heads, int hidden, int tokens, Windows windows) {

  /** Channels of a head. */
  public int headDim() {
    return dim / heads;
  }

  /** Groups of tokens of a picture that attend to each other: its windows, or one. */
  public int groups() {
    return windows == null ? 1 : windows.count();
  }

  /** Tokens of a group: the length of a row of scores. */
  public int rowTokens() {
    return tokens / groups();
  }

  /**
   * The full name of a node or parameter.
   *
   * @param local name within the block, such as {@code attn.qkv}
   */
  public String node(String local) {
    return name + "." + local;
  }
}
