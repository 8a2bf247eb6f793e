package org.ivit.train.report;

import static org.ivit.train.report.Html.escape;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import org.ivit.core.io.AtomicFiles;

/** An HTML report in one file: light or dark as the reader's system, from 400 pixels wide. */
public final class Page {
  private final String title;
  private final String summary;
  private final StringBuilder content = new StringBuilder();

  /**
   * @param title heading
   * @param summary one paragraph below it
   */
  public Page(String title, String summary) {
    this.title = title;
    this.summary = summary;
  }

  /**
   * Adds a section.
   *
   * @param html its content, escaped
   */
  public Page section(String heading, String html) {
    content.append("<h2>").append(escape(heading)).append("</h2>\n").append(html).append('\n');
    return this;
  }

  /** Adds a section of facts, if there are any: what each is, and its value. */
  public Page facts(String heading, Map<String, String> facts) {
    return facts.isEmpty() ? this : section(heading, facts(facts));
  }

  /** A list of facts. */
  public static String facts(Map<String, String> facts) {
    StringBuilder html = new StringBuilder("<dl class=\"facts\">");
    facts.forEach(
        (name, value) ->
            html.append("<div><dt>")
                .append(escape(name))
                .append("</dt><dd>")
                .append(escape(value))
                .append("</dd></div>"));
    return html.append("</dl>\n").toString();
  }

  /**
   * Writes the page; the file is complete or not there.
   *
   * @throws java.io.UncheckedIOException naming the file, if it cannot be written
   */
  public void write(Path file) {
    byte[] page = html().getBytes(StandardCharsets.UTF_8);
    AtomicFiles.write(file, out -> out.write(page));
  }

  /** Returns the page. */
  public String html() {
    return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        + "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        + "<meta name=\"color-scheme\" content=\"light dark\">\n<title>"
        + escape(title)
        + "</title>\n<style>\n"
        + Resources.chartStyle()
        + Resources.pageStyle()
        + "</style>\n</head>\n<body>\n<main>\n<h1>"
        + escape(title)
        + "</h1>\n<p class=\"summary\">"
        + escape(summary)
        + "</p>\n"
        + content
        + "</main>\n<script>\n"
        + Resources.sortScript()
        + "</script>\n</body>\n</html>\n";
  }
}
