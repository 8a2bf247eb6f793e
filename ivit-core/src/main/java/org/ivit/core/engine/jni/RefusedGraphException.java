package org.ivit.core.engine.jni;

/** The native kernels cannot hold a graph; another engine can. */
public final class RefusedGraphException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /**
   * @param message which node and why
   */
  RefusedGraphException(String message) {
    super(message);
  }
}
