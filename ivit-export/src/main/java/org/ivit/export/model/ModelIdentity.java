package org.ivit.export.model;

/**
 * What identifies a model.
 *
 * @param path file or run directory as given
 * @param sha256 of the bytes of the file, or of the file with the weights in a run directory
 * @param digest of the contents, as an integer checkpoint states it; empty for others
 * @param kind {@code integer}, {@code float} or {@code run}
 * @param architecture its name
 */
public record ModelIdentity(
    String path, String sha256, String digest, String kind, String architecture) {}
