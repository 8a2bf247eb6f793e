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

  /** Packages that are larger, until they are split. */
  private static final Set<String> LARGER = Set.of("org.ivit.core.graph");

  /** A package that must not depend on another, but does. */
  private record Edge(String from, String to) {
    @Override
    public String toString() {
      return from + " on " + to;
    }
  }

  /** What closes circles, until it is gone. */
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
        .importUrls(
            Stream.of(InputException.class, Trainer.class, Main.class)
                .map(type -> type.getProtectionDomain().getCodeSource().getLocation())
                .toList());
  }

  /** Circles but for those that these close. */
  private static EvaluationResult circles(List<Edge> ignored) {
    SliceRule rule = slices().matching("org.ivit.(**)").should().beFreeOfCycles();
    for (Edge edge : ignored) {
      rule = rule.ignoreDependency(resideInAPackage(edge.from), resideInAPackage(edge.to));
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
    for (Edge edge : CIRCULAR) {
      List<Edge> others = CIRCULAR.stream().filter(other -> !other.equals(edge)).toList();
      assertThat(circles(others).hasViolation()).as("%s: remove it here", edge).isTrue();
    }
  }

  @Test
  void noneIsLarge() {
    Map<String, Long> large = sizes();
    large.values().removeIf(count -> count <= MOST_CLASSES);
    assertThat(large.keySet()).as("%s", large).containsExactlyInAnyOrderElementsOf(LARGER);
  }
}
