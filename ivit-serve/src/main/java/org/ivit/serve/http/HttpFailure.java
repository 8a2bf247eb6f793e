package org.ivit.serve.http;

import java.util.Map;

/** A request that is answered with an error. */
final class HttpFailure extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final transient Reply reply;

  private HttpFailure(Reply reply) {
    super("status " + reply.status(), null, false, false);
    this.reply = reply;
  }

  /**
   * @param message what the client is told
   */
  static HttpFailure of(int status, String message) {
    return new HttpFailure(Reply.error(status, message, Map.of()));
  }

  /** One that says when to try again. */
  static HttpFailure later(int status, String message) {
    return new HttpFailure(Reply.error(status, message, Map.of("Retry-After", "1")));
  }

  static HttpFailure method(String allowed) {
    return new HttpFailure(
        Reply.error(405, "expected the method " + allowed, Map.of("Allow", allowed)));
  }

  static HttpFailure unauthorised() {
    return new HttpFailure(
        Reply.error(
            401,
            "expected the server's token: Authorization: Bearer TOKEN",
            Map.of("WWW-Authenticate", "Bearer")));
  }

  Reply reply() {
    return reply;
  }
}
