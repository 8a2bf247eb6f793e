package org.ivit.export.diagnose;

import org.ivit.core.arithmetic.OutlierChannels;

/**
 * What is known of one node's quantization.
 *
 * @param node full node name
 * @param bits width of its codes
 * @param scale value of one code step
 * @param decibels signal-to-noise ratio of the node in the integer model, all errors before it
 *     included: 10·log10(Σx²/Σ(x−y)²), x of the float forward of the same weights, y the integer
 *     node's codes times its scale; infinite where they are equal
 * @param cost mean KL divergence of the logits from the float forward's when this node alone is
 *     quantized, in nats; of features the mean of 1 − cosine
 * @param outliers channels that the run has set apart
 * @param candidates channels that the published rule would set apart on these pictures: the largest
 *     few of which the smallest is at least four times the next
 */
public record NodeDiagnosis(
    String node,
    int bits,
    float scale,
    double decibels,
    double cost,
    OutlierChannels outliers,
    OutlierChannels candidates) {}
