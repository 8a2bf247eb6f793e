package org.ivit.core.architecture;

/**
 * A product with weights and what surrounds it.
 *
 * @param parameters prefix of its parameters, such as {@code blocks.3.attn.qkv}: {@code .weight}
 *     and {@code .bias}
 * @param node its output
 * @param input the node that feeds it
 * @param inputs number of input channels
 * @param outputs number of output channels
 * @param biased whether it has a bias
 */
public record LinearSpec(
    String parameters, Node node, Node input, int inputs, int outputs, boolean biased) {
  /** Full name of its weights. */
  public String weight() {
    return parameters + ".weight";
  }

  /** Full name of its bias, where it has one. */
  public String bias() {
    return parameters + ".bias";
  }
}
