package org.ivit.export.report;

import static org.ivit.train.report.Html.escape;

import org.ivit.core.image.Rgb;

/** Small pictures with words below them, side by side. */
final class PictureList {
  private final StringBuilder html = new StringBuilder("<ul class=\"samples\">\n");

  /**
   * Adds a picture.
   *
   * @param picture as decoded
   * @param title in bold below it
   * @param more further lines, as HTML
   * @param note a last line, or ""
   */
  PictureList add(Rgb picture, String title, String more, String note) {
    html.append("<li><img alt=\"" + escape(title) + "\"")
        .append(Thumbnail.isSmall(picture) ? " class=\"small\"" : "")
        .append(" src=\"" + Thumbnail.uri(picture) + "\">");
    return text(title, more, note);
  }

  /** Adds what would stand below a picture that cannot be shown. */
  PictureList addWithout(String title, String note) {
    html.append("<li>");
    return text(title, "", note);
  }

  private PictureList text(String title, String more, String note) {
    html.append("<strong>").append(escape(title)).append("</strong>").append(more);
    if (!note.isEmpty()) {
      html.append("<p class=\"note\">").append(escape(note)).append("</p>");
    }
    html.append("</li>\n");
    return this;
  }

  /** Returns the list. */
  String html() {
    return html + "</ul>\n";
  }
}
