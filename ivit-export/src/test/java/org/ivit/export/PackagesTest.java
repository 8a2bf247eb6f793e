package org.ivit.export;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static java.util.stream.Collectors.counting;
import static java.util.stream.Collectors.groupingBy;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.ArchConfiguration;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.EvaluationResult;
import com.tngtech.archunit.library.dependencies.SliceRule;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.ivit.core.InputException;
import org.ivit.export.cli.Main;
import org.ivit.train.loop.Trainer;
import org.junit.jupiter.api.Test;

/** Packages are small, and none depends on another that depends on it. */
class PackagesTest {
  /** Classes of a package, without nested ones. */
  private static final int MOST_CLASSES = 25;

  private static final Set<String> LARGER = Set.of("org.ivit.core.graph");

  /** A package that must not depend on another, but does. */
  private record Edge(String from, String to) {
    @Override
    public String toString() {
      return from + " on " + to;
    }
  }

  private static final List<Edge> CIRCULAR =
      List.of(
          new Edge("org.ivit.core.engine", "org.ivit.core.engine.cpu"),
          new Edge("org.ivit.core.engine", "org.ivit.core.engine.cuda"),
          new Edge("org.ivit.core.engine", "org.ivit.core.engine.reference"));

  private static final JavaClasses CLASSES = classes();

  /** What the modules ship, from folders or jars, without the tests beside it. */
  private static JavaClasses classes() {
    ArchConfiguration.get().setResolveMissingDependenciesFromClassPath(false);
    return new ClassFileImporter()
        .importPaths(
            Stream.of(InputException.class, Trainer.class, Main.class)
                .map(PackagesTest::origin)
                .toList());
  }

  private static Path origin(Class<?> type) {
    try {
      return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI());
    } catch (URISyntaxException e) {
      throw new AssertionError(e);
    }
  }

  /** Circles but for those that the exceptions close. */
  private static EvaluationResult circles(List<Edge> exceptions) {
    SliceRule rule = slices().matching("org.ivit.(**)").should().beFreeOfCycles();
    for (Edge exception : exceptions) {
      rule =
          rule.ignoreDependency(resideInAPackage(exception.from), resideInAPackage(exception.to));
    }
    return rule.evaluate(CLASSES);
  }

  private static Map<String, Long> sizes() {
    return CLASSES.stream()
        .filter(JavaClass::isTopLevelClass)
        .filter(type -> !type.getSimpleName().equals("package-info"))
        .collect(groupingBy(JavaClass::getPackageName, TreeMap::new, counting()));
  }

  @Test
  void seesAllModules() {
    assertThat(sizes()).containsKeys("org.ivit.core", "org.ivit.train.loop", "org.ivit.export.cli");
  }

  @Test
  void noneDependsOnAnotherInACircle() {
    assertThat(circles(CIRCULAR).getFailureReport().getDetails()).isEmpty();
  }

  @Test
  void circularExceptionsAreNeeded() {
    for (Edge exception : CIRCULAR) {
      List<Edge> others = CIRCULAR.stream().filter(other -> !other.equals(exception)).toList();
      assertThat(circles(others).hasViolation()).as("%s: remove it here", exception).isTrue();
    }
  }

  @Test
  void noneIsLarge() {
    Map<String, Long> large = sizes();
    large.values().removeIf(count -> count <= MOST_CLASSES);
    assertThat(large.keySet()).as("%s", large).containsExactlyInAnyOrderElementsOf(LARGER);
  }
}
