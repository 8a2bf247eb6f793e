package org.ivit.train.report;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** The style sheets and the script that reports carry. */
final class Resources {
  private Resources() {}

  /** Colours in light and dark, and the looks of charts: enough for a drawing on its own. */
  static String chartStyle() {
    return read("chart.css");
  }

  /** The looks of pages, beside {@link #chartStyle}. */
  static String pageStyle() {
    return read("page.css");
  }

  /** Sorts tables by the columns that are clicked. */
  static String sortScript() {
    return read("sort.js");
  }

  private static String read(String name) {
    try (InputStream in = Resources.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException("no resource " + name);
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
