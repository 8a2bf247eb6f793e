package org.ivit.core.arithmetic;

/**
 * What is known of the quantized weights of a linear layer where their codes lie elsewhere, such as
 * on a GPU. The arrays are not copied.
 *
 * @param inputs number of input channels
 * @param scale [outputs] of the weight codes, raised where a bias needs it
 * @param sums over the weight codes
 */
public record QuantizedChannels(int inputs, float[] scale, ChannelSums sums) {}
