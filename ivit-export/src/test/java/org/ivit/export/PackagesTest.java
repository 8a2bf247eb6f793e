package org.ivit.export;

import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static java.util.stream.Collectors.counting;
import static java.util.stream.Collectors.groupingBy;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.ArchConfiguration;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.EvaluationResult;
import java.util.Map;
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
    EvaluationResult circles =
        slices().matching("org.ivit.(**)").should().beFreeOfCycles().evaluate(CLASSES);
    assertThat(circles.getFailureReport().getDetails()).isEmpty();
  }

  @Test
  void noneIsLarge() {
    Map<String, Long> large = sizes();
    large.values().removeIf(count -> count <= MOST_CLASSES);
    assertThat(large).isEmpty();
  }
}
