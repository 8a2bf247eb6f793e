package org.ivit.export;

import static java.util.stream.Collectors.toCollection;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** What docs/architecture.md names is there, and what is there it names. */
class ArchitecturePageTest {
  private static final String PAGE = Sources.text(Sources.file("docs/architecture.md"));

  /** The first cell of a row. */
  private static final Pattern PACKAGE_ROW =
      Pattern.compile("^\\| `(org\\.ivit\\.[a-z0-9.]+)` \\|", Pattern.MULTILINE);

  /** A class in code, with the end of its package or without. */
  private static final Pattern CLASS =
      Pattern.compile("`((?:[a-z0-9]+\\.)*)([A-Z][A-Za-z0-9]*[a-z][A-Za-z0-9]*)");

  private static final Pattern FENCED =
      Pattern.compile("^```.*?^```", Pattern.MULTILINE | Pattern.DOTALL);

  private static final Pattern TYPE = Pattern.compile("\\b(?:class|record|enum|interface) (\\w+)");

  private static final Pattern VISITOR =
      Pattern.compile("\\bimplements [^{]*\\b(?:Part|Graph)Visitor<");

  /** Classes of others. */
  private static final Set<String> FOREIGN = Set.of("ServiceLoader");

  private static String packageOf(Path source) {
    String name = Sources.name(source.getParent());
    return name.substring(name.indexOf("org/ivit")).replace('/', '.');
  }

  private static List<Path> java(String folder) {
    return Sources.of(folder).stream().filter(f -> f.toString().endsWith(".java")).toList();
  }

  @Test
  void theTablesNameEveryPackageOnce() {
    List<String> named = PACKAGE_ROW.matcher(PAGE).results().map(row -> row.group(1)).toList();
    Set<String> there =
        java("src/main/java").stream()
            .map(ArchitecturePageTest::packageOf)
            .collect(toCollection(TreeSet::new));
    assertThat(there).hasSizeGreaterThan(50);
    assertThat(named).containsExactlyInAnyOrderElementsOf(there);
  }

  @Test
  void theClassesThatItNamesAreThere() {
    TreeMap<String, Set<String>> packages = new TreeMap<>();
    for (String folder : List.of("src/main/java", "src/test/java")) {
      for (Path source : java(folder)) {
        TYPE.matcher(Sources.text(source))
            .results()
            .forEach(
                type ->
                    packages
                        .computeIfAbsent(type.group(1), name -> new TreeSet<>())
                        .add(packageOf(source)));
      }
    }
    List<MatchResult> named = CLASS.matcher(FENCED.matcher(PAGE).replaceAll("")).results().toList();
    assertThat(named).hasSizeGreaterThan(150);
    assertThat(named)
        .filteredOn(found -> !FOREIGN.contains(found.group(2)))
        .filteredOn(
            found ->
                packages.getOrDefault(found.group(2), Set.of()).stream()
                    .noneMatch(name -> ("." + name + ".").endsWith("." + found.group(1))))
        .extracting(MatchResult::group)
        .isEmpty();
  }

  @Test
  void everyVisitorOfPartsIsNamed() {
    List<String> visitors =
        java("src/main/java").stream()
            .filter(source -> VISITOR.matcher(Sources.text(source)).find())
            .map(source -> source.getFileName().toString().replace(".java", ""))
            .toList();
    assertThat(visitors).contains("ReferenceForward", "FloatOperators");
    assertThat(visitors).allMatch(name -> PAGE.matches("(?s).*[`.]" + name + "`.*"));
  }
}
