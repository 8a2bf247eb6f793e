package org.ivit.core.engine.jni;

/**
 * Why a library of native kernels is not loaded.
 *
 * @param reason in a few words
 * @param remedy what would bring it, or null where nothing does
 */
public record NotLoaded(String reason, String remedy) {
  /** Returns both, for a line of the log. */
  public String line() {
    return remedy == null ? reason : reason + "; " + remedy;
  }
}
