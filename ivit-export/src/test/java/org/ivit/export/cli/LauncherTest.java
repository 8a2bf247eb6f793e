package org.ivit.export.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.ivit.core.io.AtomicFiles;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code scripts/ivit} in a small checkout, in a folder whose name has a space and, where the
 * system can say it, a letter beyond ASCII. Maven and Java there only say what they are asked for.
 */
@DisabledOnOs(OS.WINDOWS)
class LauncherTest {
  private static final String MAVEN =
      """
      #!/bin/sh
      echo mvn >>"$FAKE_CALLS"
      printf '\\033[0mbuilding\\033[1;31m here\\033[m\\n'
      printf '\\033[0m' >&2
      [ -z "${FAKE_FAILS:-}" ] || exit 1
      for module in core train export; do
        mkdir -p "ivit-$module/target"
        echo jar >"ivit-$module/target/ivit-$module-1-tests.jar"
        echo jar >"ivit-$module/target/ivit-$module-1.jar"
      done
      printf '%s' "$FAKE_LIBRARY" >ivit-export/target/dependencies
      """;

  private static final String JAVA =
      """
      #!/bin/sh
      echo java >>"$FAKE_CALLS"
      for word in "$@"; do
        case $word in
          -XX:ArchiveClassesAtExit=*) echo classes >"${word#*=}"; exit ;;
        esac
      done
      echo "locale ${LC_ALL:-}"
      printf '<%s>\\n' "$@"
      """;

  private record Outcome(int code, List<String> lines) {
    /** The word after {@code -cp}, by entry. */
    List<String> classpath() {
      String word = lines.get(lines.indexOf("<-cp>") + 1);
      return List.of(word.substring(1, word.length() - 1).split(":"));
    }

    String archive() {
      String option = "<-XX:SharedArchiveFile=";
      return lines.stream()
          .filter(line -> line.startsWith(option))
          .map(line -> line.substring(option.length(), line.length() - 1))
          .findFirst()
          .orElse(null);
    }
  }

  @TempDir private Path temporary;
  private Path folder;
  private Path checkout;
  private Path library;
  private Path calls;
  private Path cache;
  private final List<String> environment = new ArrayList<>();

  @BeforeEach
  void smallCheckout() throws IOException {
    Charset names = Charset.forName(System.getProperty("sun.jnu.encoding"));
    folder =
        Files.createDirectory(
            temporary.resolve(names.newEncoder().canEncode('é') ? "a b é" : "a b"));
    checkout = folder.resolve("ivit");
    Path scripts = Files.createDirectories(checkout.resolve("scripts"));
    Path real = Path.of("..", "scripts");
    for (String name : List.of("ivit", "checkout.sh")) {
      Files.copy(real.resolve(name), scripts.resolve(name), StandardCopyOption.COPY_ATTRIBUTES);
    }
    Files.createFile(checkout.resolve("pom.xml"));
    for (String module : List.of("ivit-core", "ivit-train", "ivit-export")) {
      Files.createDirectories(checkout.resolve(module).resolve("src/main"));
      Files.createFile(checkout.resolve(module).resolve("pom.xml"));
    }
    library = Files.createFile(folder.resolve("library 1.jar"));
    calls = Files.createFile(folder.resolve("calls"));
    cache = folder.resolve("cache");
    tool(folder.resolve("bin/mvn"), MAVEN);
    tool(folder.resolve("jdk/bin/java"), JAVA);
    environment.add("LC_ALL=C.UTF-8");
  }

  private static void tool(Path file, String text) throws IOException {
    Files.createDirectories(file.getParent());
    assertThat(Files.writeString(file, text).toFile().setExecutable(true)).isTrue();
  }

  private Outcome run(Path from, String... args) throws Exception {
    List<String> command = new ArrayList<>(List.of("env"));
    command.add("PATH=" + folder.resolve("bin") + ":" + System.getenv("PATH"));
    command.add("JAVA_HOME=" + folder.resolve("jdk"));
    command.add("XDG_CACHE_HOME=" + cache);
    command.add("FAKE_CALLS=" + calls);
    command.add("FAKE_LIBRARY=" + library);
    command.addAll(environment);
    command.add(from.resolve("scripts/ivit").toString());
    command.addAll(List.of(args));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    return new Outcome(process.exitValue(), output.lines().toList());
  }

  /** What was called since this was asked. */
  private List<String> called() throws IOException {
    List<String> names = Files.readAllLines(calls);
    Files.writeString(calls, "");
    return names;
  }

  private static List<String> jars(Path root) {
    return Stream.of("export", "train", "core")
        .map(m -> root.resolve("ivit-" + m + "/target/ivit-" + m + "-1.jar").toString())
        .toList();
  }

  @Test
  void buildsOnceThenRunsWithEveryWordWhole() throws Exception {
    environment.add("IVIT_JAVA_OPTS=-Xmx1g -Done=*");
    Outcome first = run(checkout, "predict", "a  picture.png", "*");
    assertThat(first.code()).isZero();
    assertThat(first.lines())
        .startsWith("ivit: building (once; minutes the first time)", "building here")
        .contains("<-Xmx1g>", "<-Done=*>")
        .endsWith("<org.ivit.export.cli.Main>", "<predict>", "<a  picture.png>", "<*>");
    assertThat(first.classpath()).startsWith(jars(checkout).toArray(String[]::new));
    assertThat(first.classpath()).hasSize(4).endsWith(library.toString());
    assertThat(Path.of(first.archive())).startsWith(cache.resolve("ivit")).hasContent("classes");
    assertThat(called()).containsExactly("mvn", "java", "java");

    Outcome second = run(checkout, "inspect");
    assertThat(second.lines()).startsWith("locale C.UTF-8").endsWith("<inspect>");
    assertThat(second.archive()).isEqualTo(first.archive());
    assertThat(called()).as("neither a build nor an archive").containsExactly("java");
  }

  @Test
  void anArchiveIsOfTheJarsAsTheyAre() throws Exception {
    Path first = Path.of(run(checkout).archive());
    Path jar = Path.of(jars(checkout).get(2));
    Files.setLastModifiedTime(
        jar, FileTime.fromMillis(Files.getLastModifiedTime(first).toMillis() + 2000));
    called();
    assertThat(run(checkout).code()).isZero();
    assertThat(called()).as("built by hand, archived anew").containsExactly("java", "java");
  }

  @Test
  void withoutACacheItRunsWithoutAnArchiveAndWithoutAWord() throws Exception {
    run(checkout);
    called();
    AtomicFiles.deleteDirectory(cache);
    Files.createFile(cache);
    Outcome outcome = run(checkout, "inspect");
    assertThat(outcome.code()).isZero();
    assertThat(outcome.archive()).isNull();
    assertThat(outcome.lines()).startsWith("locale C.UTF-8", "<-XX:+IgnoreUnrecognizedVMOptions>");
    assertThat(called()).containsExactly("java");
    try (Stream<Path> files = Files.walk(checkout)) {
      assertThat(files.map(Path::toString)).noneMatch(name -> name.endsWith(".jsa"));
    }
  }

  @Test
  void aCheckoutThatMovedOrWasCopiedRunsItsOwnJars() throws Exception {
    Path before = Path.of(run(checkout).archive());
    called();
    Path copy = folder.resolve("copy");
    assertThat(
            new ProcessBuilder("cp", "-pR", checkout.toString(), copy.toString()).start().waitFor())
        .isZero();
    Outcome copied = run(copy);
    assertThat(copied.code()).isZero();
    assertThat(copied.classpath()).startsWith(jars(copy).toArray(String[]::new));
    assertThat(copied.classpath()).noneMatch(entry -> entry.startsWith(checkout.toString()));
    assertThat(Path.of(copied.archive())).isNotEqualTo(before);
    assertThat(called()).doesNotContain("mvn");

    Path moved = Files.move(copy, folder.resolve("moved"));
    assertThat(run(moved).classpath()).startsWith(jars(moved).toArray(String[]::new));
    assertThat(before).as("the other checkout's").exists();
  }

  @Test
  void aLibraryThatIsGoneOrAnOlderBuildIsBuiltAgain() throws Exception {
    run(checkout);
    called();
    Files.delete(library);
    Path other = Files.createFile(folder.resolve("library 2.jar"));
    library = other;
    assertThat(run(checkout).classpath()).endsWith(other.toString());
    assertThat(called()).startsWith("mvn");
    Files.delete(Path.of(jars(checkout).get(1)));
    assertThat(run(checkout).code()).isZero();
    assertThat(called()).startsWith("mvn");
  }

  @Test
  void aBuildThatFailsIsSaidWithoutEscapeCodes() throws Exception {
    environment.add("FAKE_FAILS=1");
    assertThat(run(checkout))
        .isEqualTo(
            new Outcome(
                1,
                List.of(
                    "ivit: building (once; minutes the first time)",
                    "building here",
                    "ivit: the build failed; its messages are above")));
  }

  @Test
  void aColonInThePathIsRefused() throws Exception {
    Path odd = Files.move(checkout, folder.resolve("a:b"));
    assertThat(run(odd))
        .isEqualTo(
            new Outcome(
                1,
                List.of(
                    "ivit: "
                        + odd
                        + ": a class path cannot hold a folder with a colon in its name: rename or"
                        + " move it")));
  }

  /** Whether the system has the locale that stands in for that of POSIX. */
  static boolean hasUtf8Locale() throws IOException {
    Process process =
        new ProcessBuilder("env", "LC_ALL=C.UTF-8", "locale", "charmap")
            .redirectErrorStream(true)
            .start();
    return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
        .strip()
        .equals("UTF-8");
  }

  @Test
  @EnabledIf("hasUtf8Locale")
  void fileNamesAreUtf8WhereTheLocaleIsPosixOrUnknown() throws Exception {
    for (String locale : List.of("LC_ALL=POSIX", "LC_ALL=C", "LC_ALL=xx_XX.UTF-8", "LC_ALL=")) {
      environment.set(0, locale);
      environment.addAll(List.of("LANG=", "LC_CTYPE="));
      assertThat(run(checkout).lines()).as(locale).contains("locale C.UTF-8");
    }
    environment.set(0, "LC_ALL=");
    environment.addAll(List.of("LANG=C.UTF-8"));
    assertThat(run(checkout).lines()).as("left as it is").contains("locale ");
  }
}
