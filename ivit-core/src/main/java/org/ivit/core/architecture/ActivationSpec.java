package org.ivit.core.architecture;

import org.ivit.core.arithmetic.Activation;

/**
 * The activation function of an MLP and what surrounds it.
 *
 * @param input the product before it
 * @param node its output
 * @param channels of both
 * @param function which it is
 */
public record ActivationSpec(Node input, Node node, int channels, Activation function) {}
