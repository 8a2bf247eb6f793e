package org.ivit.train.report;

import static org.ivit.train.report.Html.escape;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A table of a report. The first column names the row. Where the page's script runs, a click on a
 * heading sorts; without it rows stand in the order in which they were added.
 */
public final class Table {
  private record Column(String heading, String kind, boolean descending) {}

  private final List<Column> columns = new ArrayList<>();
  private final StringBuilder rows = new StringBuilder();
  private final String caption;
  private final String kinds;
  private int cell;

  /**
   * @param caption what it shows
   * @param kinds classes of the style sheet: {@code nodes} sets names in a fixed width, {@code
   *     sortable} lets readers sort
   */
  public Table(String caption, String kinds) {
    this.caption = caption;
    this.kinds = kinds;
  }

  /** Adds a column of words. */
  public Table words(String heading) {
    columns.add(new Column(heading, "words", false));
    return this;
  }

  /** Adds a column of numbers. */
  public Table numbers(String heading) {
    columns.add(new Column(heading, "number", false));
    return this;
  }

  /** Adds a column of bars, which small screens leave out. */
  public Table bars(String heading) {
    columns.add(new Column(heading, "bars", false));
    return this;
  }

  /** Says that rows are added in falling order of the last column, which is shown to readers. */
  public Table descending() {
    Column last = columns.remove(columns.size() - 1);
    columns.add(new Column(last.heading(), last.kind(), true));
    return this;
  }

  /** Begins a row with its name. */
  public Table row(String name) {
    endRow();
    rows.append("<tr><th scope=\"row\">").append(escape(name)).append("</th>");
    cell = 1;
    return this;
  }

  /** Adds a cell of words, or of a number whose text is all of it. */
  public Table cell(String text) {
    return drawn("", escape(text));
  }

  /**
   * Adds a cell that shows a number.
   *
   * @param value by which it sorts
   */
  public Table cell(double value, String text) {
    String key = Double.isFinite(value) ? Double.toString(value) : value > 0 ? "1e999" : "-1e999";
    return drawn(" data-v=\"" + key + "\"", escape(text));
  }

  /**
   * Adds a bar.
   *
   * @param share of the full width, from 0 to 1
   * @param kind class of the style sheet: {@code bad}, {@code good} or ""
   */
  public Table bar(double share, String kind) {
    return drawn(
        "",
        String.format(
            Locale.ROOT,
            "<i class=\"bar %s\" style=\"width:%.1f%%\"></i>",
            kind,
            100 * Math.max(0, Math.min(1, share))));
  }

  /**
   * Adds a cell of words with more of them where a pointer rests.
   *
   * @param value by which it sorts
   */
  public Table cell(double value, String text, String more) {
    return drawn(" data-v=\"" + value + "\" title=\"" + escape(more) + "\"", escape(text));
  }

  /** Adds a cell of HTML. */
  public Table drawing(String html) {
    return drawn("", html);
  }

  private Table drawn(String attributes, String html) {
    rows.append("<td class=\"" + columns.get(cell++).kind() + "\"" + attributes + ">")
        .append(html)
        .append("</td>");
    return this;
  }

  private void endRow() {
    if (cell > 0) {
      rows.append("</tr>\n");
    }
    cell = 0;
  }

  /**
   * Returns the table, in a box that scrolls where it does not fit.
   *
   * @param tall whether the box is at most as high as a screen, with the headings always in sight
   */
  public String html(boolean tall) {
    endRow();
    StringBuilder html = new StringBuilder();
    html.append("<div class=\"scroll" + (tall ? " tall" : "") + "\" tabindex=\"0\"><table class=\"")
        .append(kinds)
        .append("\"><caption><span>")
        .append(escape(caption))
        .append("</span></caption>\n<thead><tr>");
    for (Column column : columns) {
      html.append("<th class=\"" + column.kind() + "\" scope=\"col\"")
          .append(column.descending() ? " aria-sort=\"descending\">" : ">")
          .append(escape(column.heading()))
          .append("</th>");
    }
    return html.append("</tr></thead>\n<tbody>" + rows + "</tbody></table></div>\n").toString();
  }
}
