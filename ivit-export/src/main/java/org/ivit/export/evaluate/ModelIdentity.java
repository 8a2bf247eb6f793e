package org.ivit.export.evaluate;

/**
 * What identifies a model.
 *
 * @param path file or run directory as given
 * @param sha256 of the file, or of the file with the weights in a run directory
 * @param kind {@code integer}, {@code float} or {@code run}
 * @param architecture its name
 */
public record ModelIdentity(String path, String sha256, String kind, String architecture) {}
