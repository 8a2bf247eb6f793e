package org.ivit.export;

import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What sources and pages refer to in the documentation is there. */
class DocumentLinksTest {
  /** The form in sources: {@code docs/arithmetic.md#softmax}. */
  private static final Pattern IN_SOURCE = Pattern.compile("docs/([\\w-]+\\.md)(?:#([\\w-]+))?");

  /** The form in pages, within the checkout. */
  private static final Pattern IN_PAGE =
      Pattern.compile("\\]\\((?!https?:)([^)#\\s]*)(?:#([^)\\s]+))?\\)");

  /** What says a section by its number. */
  private static final Pattern NUMBERED =
      Pattern.compile("\u00a7|\\barithmetic page\\b|\\bsection \\d+ of docs/");

  /** Compiled kernels carry a hash of these, comments included. */
  private static final String HASHED = "src/main/cuda";

  private static final Pattern FENCED =
      Pattern.compile("^```.*?^```", Pattern.MULTILINE | Pattern.DOTALL);

  private static final Pattern HEADING = Pattern.compile("^#{1,6} (.+)$", Pattern.MULTILINE);

  private static final List<String> FOLDERS =
      List.of(
          "src/main/java",
          "src/main/native",
          HASHED,
          "src/test/java",
          "src/test/native",
          "src/test/cuda",
          "src/bench/java");

  /**
   * GitHub's anchor: lower case, letters, digits, hyphens and underscores, a hyphen for a space.
   */
  private static String anchor(String heading) {
    return heading
        .strip()
        .toLowerCase(Locale.ROOT)
        .replaceAll("[^\\p{L}\\p{N} _-]", "")
        .replace(' ', '-');
  }

  private static Set<String> anchors(Path page) {
    String text = FENCED.matcher(Sources.text(page)).replaceAll("");
    return HEADING.matcher(text).results().map(found -> anchor(found.group(1))).collect(toSet());
  }

  /** Whether a page, and a heading of it if one is named, is there. */
  private static boolean resolves(Path page, String anchor) {
    return Files.exists(page) && (anchor == null || anchors(page).contains(anchor));
  }

  private static Stream<MatchResult> references(Pattern pattern, Path file) {
    return pattern.matcher(Sources.text(file)).results();
  }

  @Test
  void anchorsAreThoseOfGitHub() {
    assertThat(anchor("Packages of `ivit-core`")).isEqualTo("packages-of-ivit-core");
    assertThat(anchor("Form `exact`, H = 2^(31\u2212b)")).isEqualTo("form-exact-h--231b");
  }

  @Test
  void referencesOfSourcesResolve() {
    List<String> broken = new ArrayList<>();
    int count = 0;
    for (Path source : FOLDERS.stream().map(Sources::of).flatMap(List::stream).toList()) {
      for (MatchResult found : references(IN_SOURCE, source).toList()) {
        count++;
        if (!resolves(Sources.file("docs").resolve(found.group(1)), found.group(2))) {
          broken.add(Sources.name(source) + ": " + found.group());
        }
      }
    }
    assertThat(count).isGreaterThan(50);
    assertThat(broken).isEmpty();
  }

  @Test
  void noneSaysASectionByItsNumber() {
    List<Path> all = new ArrayList<>(Sources.pages());
    FOLDERS.stream().filter(f -> !f.equals(HASHED)).map(Sources::of).forEach(all::addAll);
    assertThat(all).hasSizeGreaterThan(500);
    assertThat(all)
        .filteredOn(file -> references(NUMBERED, file).findAny().isPresent())
        .extracting(Sources::name)
        .isEmpty();
  }

  @Test
  void linksOfPagesResolve() {
    List<String> broken = new ArrayList<>();
    for (Path page : Sources.pages()) {
      for (MatchResult found : references(IN_PAGE, page).toList()) {
        String target = found.group(1);
        Path to = target.isEmpty() ? page : page.resolveSibling(target).normalize();
        if (!resolves(to, found.group(2))) {
          broken.add(Sources.name(page) + ": " + found.group());
        }
      }
    }
    assertThat(broken).isEmpty();
  }
}
