package org.ivit.export.features;

/**
 * A row of a gallery that is near.
 *
 * @param row its index in the gallery
 * @param cosine with the row that was asked for
 */
public record Neighbour(int row, double cosine) {}
