package org.ivit.core.arithmetic;

/**
 * Integer weights of a linear layer. The arrays are not copied.
 *
 * @param weight [outputs][inputs], 8 bits
 * @param weightScale [outputs] scale of each output channel
 * @param bias [outputs], zeros where there is none
 * @param biasScale [outputs] float32(s_w·s_x): the scale of the accumulator and of the bias
 * @param raised output channels, ascending, whose weight scale was raised to hold the bias
 */
public record QuantizedLinear(
    byte[] weight, float[] weightScale, int[] bias, float[] biasScale, int[] raised) {}
