package org.ivit.core.graph;

/**
 * Patch merging between two stages of a Swin, §7: the four neighbours (0,0), (1,0), (0,1), (1,1) as
 * (row, column) side by side, their norm, a product without bias.
 *
 * @param norm over the concatenated channels
 * @param reduction from 4 to 2 times the stage's channels, 8-bit codes
 */
public record IntegerMerging(LayerNorm norm, Linear reduction) {}
