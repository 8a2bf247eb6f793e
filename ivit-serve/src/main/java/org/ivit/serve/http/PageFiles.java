package org.ivit.serve.http;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Map;

/** The files of the page, from the class path. */
final class PageFiles {
  private static final String FOLDER = "/org/ivit/serve/page/";
  private static final String INDEX = "index.html";
  private static final String POLICY =
      "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
          + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

  private static final Map<String, String> TYPES =
      Map.of(
          "html", "text/html; charset=utf-8",
          "js", "text/javascript; charset=utf-8",
          "css", "text/css; charset=utf-8",
          "svg", "image/svg+xml",
          "png", "image/png");

  private PageFiles() {}

  /**
   * A file.
   *
   * @param name without a folder; empty for the page itself
   * @return null where there is none
   */
  static Reply file(String name) {
    String file = name.isEmpty() ? INDEX : name;
    String type = TYPES.get(file.substring(file.lastIndexOf('.') + 1));
    if (type == null || !file.matches("[A-Za-z0-9_-]+\\.[a-z]+")) {
      return null;
    }
    try (InputStream in = PageFiles.class.getResourceAsStream(FOLDER + file)) {
      return in == null
          ? null
          : new Reply(
              200,
              type,
              Map.of("Content-Security-Policy", POLICY, "Cache-Control", "no-cache"),
              in.readAllBytes());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
