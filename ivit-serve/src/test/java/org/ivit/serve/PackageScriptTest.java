package org.ivit.serve;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code scripts/package} in a small checkout, in a folder whose name has a space. Maven, Java and
 * {@code jlink} there only say what they are asked for.
 */
@DisabledOnOs(OS.WINDOWS)
class PackageScriptTest {
  private static final String MAVEN = "#!/bin/sh\n";

  /** Java of a JDK and of the runtime that {@link #JLINK} makes. */
  private static final String JAVA =
      """
      #!/bin/sh
      if [ "$1" = -XshowSettings:properties ]; then
        echo "    java.home = $JAVA_HOME"
        exit
      fi
      for word in "$@"; do
        case $word in
          -XX:ArchiveClassesAtExit=*) echo classes >"${word#*=}" ;;
        esac
      done
      [ -z "${FAKE_FAILS:-}" ] || exit 1
      printf '<%s>\\n' "$@"
      """;

  private static final String JLINK =
      """
      #!/bin/sh
      for word in "$@"; do
        folder=$word
      done
      [ "$folder" != --list-plugins ] || exit 0
      mkdir -p "$folder/bin"
      cp "$JAVA_HOME/bin/java" "$folder/bin"
      """;

  private static final List<String> MODULES =
      List.of("ivit-serve", "ivit-export", "ivit-train", "ivit-core");

  private record Outcome(int code, List<String> lines) {}

  @TempDir private Path temporary;
  private Path folder;
  private Path checkout;

  @BeforeEach
  void smallCheckout() throws IOException {
    folder = Files.createDirectory(temporary.resolve("a b"));
    checkout = Files.createDirectory(folder.resolve("ivit"));
    Path scripts = Files.createDirectories(checkout.resolve("scripts/packaged")).getParent();
    for (String name : List.of("package", "checkout.sh", "packaged/ivit")) {
      Files.copy(
          Path.of("..", "scripts").resolve(name),
          scripts.resolve(name),
          StandardCopyOption.COPY_ATTRIBUTES);
    }
    for (String name : List.of("LICENSE", "NOTICE")) {
      Files.createFile(checkout.resolve(name));
    }
    for (String module : MODULES) {
      Path target = Files.createDirectories(checkout.resolve(module).resolve("target"));
      Files.createFile(target.resolve(module + "-1.jar"));
    }
    String libraries =
        Stream.of("org/nd4j/nd4j-api.jar", "info/picocli/picocli.jar", "org/bytedeco/openblas.jar")
            .map(name -> folder.resolve("repository").resolve(name))
            .map(PackageScriptTest::file)
            .map(Path::toString)
            .collect(Collectors.joining(":"));
    Files.writeString(checkout.resolve("ivit-serve/target/dependencies"), libraries);
    tool(folder.resolve("bin/mvn"), MAVEN);
    tool(folder.resolve("jdk/bin/java"), JAVA);
    tool(folder.resolve("jdk/bin/jlink"), JLINK);
  }

  private static Path file(Path path) {
    try {
      Files.createDirectories(path.getParent());
      return Files.createFile(path);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void tool(Path file, String text) throws IOException {
    Files.createDirectories(file.getParent());
    assertThat(Files.writeString(file, text).toFile().setExecutable(true)).isTrue();
  }

  private Outcome run(List<String> environment, Path program, String... args) throws Exception {
    List<String> command = new ArrayList<>(List.of("env"));
    command.add("PATH=" + folder.resolve("bin") + ":" + System.getenv("PATH"));
    command.add("JAVA_HOME=" + folder.resolve("jdk"));
    command.addAll(environment);
    command.add(program.toString());
    command.addAll(List.of(args));
    Process process =
        new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    return new Outcome(process.exitValue(), output.lines().toList());
  }

  private Outcome packaged(String... args) throws Exception {
    return run(List.of(), checkout.resolve("scripts/package"), args);
  }

  private static List<String> jars(String... libraries) {
    return Stream.concat(MODULES.stream().map(m -> m + "-1.jar"), Stream.of(libraries)).toList();
  }

  @Test
  void aPackageRunsItsOwnJavaOnJarsThatTrainNothing() throws Exception {
    assertThat(packaged().code()).isZero();
    Path made = checkout.resolve("target/ivit");
    assertThat(Files.readAllLines(made.resolve("lib/classpath"))).isEqualTo(jars("picocli.jar"));
    assertThat(made.resolve("lib/nd4j-api.jar")).doesNotExist();
    assertThat(made.resolve("lib/ivit.jsa")).hasContent("classes\n");
    assertThat(made.resolve("LICENSE")).exists();

    Path moved = Files.move(made, folder.resolve("moved here"));
    Path link = Files.createSymbolicLink(folder.resolve("bin/ivit"), moved.resolve("bin/ivit"));
    Outcome outcome =
        run(
            List.of("JAVA_HOME=none", "IVIT_JAVA_OPTS=-Xmx1g -Done=*", "LC_ALL=", "LANG="),
            link,
            "predict",
            "a  picture.png",
            "*");
    assertThat(outcome.code()).isZero();
    assertThat(outcome.lines())
        .contains(
            "<-XX:SharedArchiveFile=" + moved + "/lib/ivit.jsa>",
            "<-Xmx1g>",
            "<-Done=*>",
            jars("picocli.jar").stream()
                .map(jar -> moved + "/lib/" + jar)
                .collect(Collectors.joining(":", "<", ">")))
        .endsWith("<org.ivit.export.cli.Main>", "<predict>", "<a  picture.png>", "<*>");
  }

  @Test
  void trainingBringsItsLibraries() throws Exception {
    assertThat(packaged("--training", "made").code()).isZero();
    assertThat(Files.readAllLines(folder.resolve("made/lib/classpath")))
        .isEqualTo(jars("nd4j-api.jar", "picocli.jar", "openblas.jar"));
  }

  @Test
  void onlyAPackageIsReplaced() throws Exception {
    Path other = Files.createDirectory(folder.resolve("other"));
    Path kept = Files.createFile(other.resolve("letter"));
    assertThat(packaged("other"))
        .isEqualTo(
            new Outcome(
                1, List.of("package: other: is there and no package, expected a new folder")));
    assertThat(kept).exists();
    assertThat(packaged("made").code()).isZero();
    Files.createFile(folder.resolve("made/lib/old.jar"));
    assertThat(packaged("made").code()).isZero();
    assertThat(folder.resolve("made/lib/old.jar")).doesNotExist();
  }

  @Test
  void aPackageThatDoesNotRunIsNotLeft() throws Exception {
    Outcome outcome = run(List.of("FAKE_FAILS=1"), checkout.resolve("scripts/package"), "made");
    assertThat(outcome.code()).isEqualTo(1);
    assertThat(outcome.lines()).endsWith("package: the package does not run");
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .noneMatch(n -> n.startsWith("made"));
    }
  }

  @Test
  void withoutAJdkOrWithAnUnknownOptionNothingIsMade() throws Exception {
    assertThat(packaged("--foo").lines())
        .containsExactly(
            "package: unknown option --foo; usage: scripts/package [--training] [DIR]");
    Files.delete(folder.resolve("jdk/bin/jlink"));
    assertThat(packaged().lines())
        .containsExactly(
            "package: "
                + folder.resolve("jdk")
                + ": has no bin/jlink, expected a JDK: set JAVA_HOME");
    assertThat(checkout.resolve("target")).doesNotExist();
  }
}
