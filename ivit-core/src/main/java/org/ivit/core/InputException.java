package org.ivit.core;

/**
 * What a user brought cannot be used: a file, a key, a tensor or a model. The message is one line
 * that names it and says what was found and what was expected. The command line prints that line
 * and exits with code 2.
 */
public class InputException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * @param message one line: what, found, expected
   */
  public InputException(String message) {
    super(message);
  }

  /**
   * @param message one line: what, found, expected
   * @param cause the failure behind it
   */
  public InputException(String message, Throwable cause) {
    super(message, cause);
  }
}
