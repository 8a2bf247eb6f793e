package org.ivit.core.graph;

import org.ivit.core.arithmetic.OutlierChannels;

/**
 * All that a linear layer takes from the nodes around it.
 *
 * @param name full node name and parameter prefix, such as {@code blocks.0.attn.qkv}
 * @param inputScale scale of its input codes
 * @param inputOutliers outlier channels of its input
 * @param outputScale scale of its range
 */
public record LinearScales(
    String name, float inputScale, OutlierChannels inputOutliers, float outputScale) {}
