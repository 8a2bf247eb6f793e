package org.ivit.core.architecture;

import org.ivit.core.arithmetic.Activation;

/**
 * Two products with an activation function between them: nodes {@code fc1}, {@code act}, {@code
 * fc2}.
 *
 * @param name prefix of its nodes and parameters, such as {@code blocks.3.mlp}
 * @param dim channels before and behind it
 * @param hidden channels between the products
 * @param function the activation function
 * @param input what feeds it
 */
record MlpSpec(String name, int dim, int hidden, Activation function, Node input) {
  private Node node(String local, NodeKind kind) {
    return new Node(name + "." + local, kind);
  }

  LinearSpec fc1() {
    Node node = node("fc1", NodeKind.HIDDEN);
    return new LinearSpec(node.name(), node, input, dim, hidden, true);
  }

  ActivationSpec activation() {
    return new ActivationSpec(fc1().node(), node("act", NodeKind.ACTIVATION), hidden, function);
  }

  LinearSpec fc2() {
    Node node = node("fc2", NodeKind.BRANCH);
    return new LinearSpec(node.name(), node, activation().node(), hidden, dim, true);
  }
}
