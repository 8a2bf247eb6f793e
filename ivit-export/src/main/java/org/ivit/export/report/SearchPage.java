package org.ivit.export.report;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.ivit.core.image.Rgb;
import org.ivit.train.report.Page;

/** Pictures that were searched for, and those that are like them, as a page. */
public final class SearchPage {
  private SearchPage() {}

  /**
   * A picture that was asked for.
   *
   * @param name of its file
   * @param picture as decoded
   * @param found the most alike first
   */
  public record Query(String name, Rgb picture, List<Found> found) {}

  /**
   * A picture that was found.
   *
   * @param name as the index has it
   * @param picture as decoded; null where it cannot be read any more
   * @param cosine of its features with those asked for
   */
  public record Found(String name, Rgb picture, double cosine) {}

  /**
   * Writes the page; the file is complete or not there.
   *
   * @param summary one paragraph below the heading
   * @param provenance where everything comes from, by what it is
   * @throws java.io.UncheckedIOException if it cannot be written
   */
  public static void write(
      Path file, String summary, List<Query> queries, Map<String, String> provenance) {
    Page page = new Page("Pictures that are alike", summary);
    for (Query query : queries) {
      PictureList list = new PictureList().add(query.picture, "asked for", "", query.name);
      for (Found found : query.found) {
        String cosine = String.format(Locale.ROOT, "%.4f", found.cosine);
        if (found.picture == null) {
          list.addWithout(cosine, found.name + ": cannot be shown");
        } else {
          list.add(found.picture, cosine, "", found.name);
        }
      }
      page.section(query.name, list.html());
    }
    page.facts("Provenance", provenance).write(file);
  }
}
