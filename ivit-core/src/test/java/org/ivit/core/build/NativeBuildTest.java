package org.ivit.core.build;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The scripts that compile the native kernels, with a compiler that only looks at its arguments, in
 * a folder whose name has a space and, where the system can say it, a letter beyond ASCII.
 */
@DisabledOnOs(OS.WINDOWS)
class NativeBuildTest {
  private static final String COMPILER =
      """
      #!/bin/sh
      # Every word must be an option or a file; what is asked for is made, empty.
      made=
      case "$*" in
        *"${FAKE_LACKS:-none}"*) exit 1 ;;
      esac
      while [ $# -gt 0 ]; do
        case $1 in
          -o) made=$2; shift ;;
          -*) ;;
          *)
            [ -f "$1" ] || { echo "error: no file $1" >&2; exit 1; }
            case $1 in
              *"${FAKE_REFUSES:-none}"*) echo "note: in $1" >&2; echo "error: odd code" >&2; exit 1 ;;
            esac
            ;;
        esac
        shift
      done
      : >"$made"
      """;

  /** What is compiled. */
  enum Build {
    ENGINE("libivit.so", "native CPU kernels", "the CPU engine will be portable Java"),
    TRAINING("libivit-train.so", "native training kernels", "training will be portable Java");

    final String library;
    final String kernels;
    final String instead;

    Build(String library, String kernels, String instead) {
      this.library = library;
      this.kernels = kernels;
      this.instead = instead;
    }

    /** What says in the jar why there is no library. */
    String note() {
      return library.replace(".so", ".skipped");
    }
  }

  /** Platforms that the environment names compilers for; the one that runs this takes CC. */
  private static final List<String> OTHERS =
      List.of("LINUX_X86_64", "LINUX_AARCH64", "WINDOWS_X86_64");

  private record Outcome(int code, String output) {}

  @TempDir private Path temporary;
  private Path folder;
  private Path compiler;

  @BeforeEach
  void checkout() throws IOException {
    Charset names = Charset.forName(System.getProperty("sun.jnu.encoding"));
    folder =
        Files.createDirectory(
            temporary.resolve(names.newEncoder().canEncode('é') ? "a b é" : "a b"));
    Path root = Path.of(System.getProperty("ivit.root"));
    copy(root.resolve("ivit-core/src/main/native"), folder.resolve("engine"));
    copy(root.resolve("ivit-train/src/main/native"), folder.resolve("training"));
    Files.createDirectories(folder.resolve("jdk/include"));
    Files.createFile(folder.resolve("jdk/include/jni.h"));
    compiler = Files.writeString(folder.resolve("compiler"), COMPILER);
    assertThat(compiler.toFile().setExecutable(true)).isTrue();
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.toList()) {
        Files.copy(file, to.resolve(from.relativize(file)));
      }
    }
  }

  private Path classes() {
    return folder.resolve("target/classes");
  }

  private Outcome build(Build build, Map<String, String> environment) throws Exception {
    String engine = folder.resolve("engine").toString();
    String training = folder.resolve("training").toString();
    String jdk = folder.resolve("jdk").toString();
    ProcessBuilder process =
        new ProcessBuilder(
            build == Build.ENGINE
                ? List.of("sh", engine + "/build.sh", engine, classes().toString(), jdk)
                : List.of(
                    "sh", training + "/build.sh", training, engine, classes().toString(), jdk));
    process.environment().put("CC", compiler.toString());
    for (String platform : OTHERS) {
      process.environment().put("CC_" + platform, "none");
    }
    process.environment().putAll(environment);
    return outcome(process);
  }

  private static Outcome outcome(ProcessBuilder process) throws Exception {
    Process started = process.redirectErrorStream(true).start();
    String output = new String(started.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(started.waitFor(60, TimeUnit.SECONDS)).isTrue();
    return new Outcome(started.exitValue(), output);
  }

  /** What this machine's folder has. */
  private List<String> libraries() throws Exception {
    return libraries(host());
  }

  private List<String> libraries(String platform) throws IOException {
    try (Stream<Path> files = Files.list(classes().resolve("native").resolve(platform))) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  private static String host() throws Exception {
    String name = outcome(new ProcessBuilder("uname", "-sm")).output().strip();
    return name.toLowerCase(Locale.ROOT)
        .replace(' ', '-')
        .replace("amd64", "x86_64")
        .replace("arm64", "aarch64");
  }

  @ParameterizedTest
  @EnumSource
  void aFolderMayHaveAnyName(Build build) throws Exception {
    Outcome outcome = build(build, Map.of());
    assertThat(outcome.code()).as(outcome.output()).isZero();
    assertThat(outcome.output()).startsWith(build.kernels + ": built for ").hasLineCount(1);
    assertThat(libraries()).containsExactly(build.library, build.library + ".sha256");
    assertThat(build(build, Map.of())).as("nothing to do").isEqualTo(new Outcome(0, ""));
  }

  @ParameterizedTest
  @EnumSource
  void aCompilerThatRefusesASourceLeavesPortableJavaAndALine(Build build) throws Exception {
    assertThat(build(build, Map.of()).code()).isZero();
    Files.delete(classes().resolve("native").resolve(host()).resolve(build.library + ".sha256"));
    Outcome outcome = build(build, Map.of("FAKE_REFUSES", "softmax_c.c"));
    assertThat(outcome)
        .isEqualTo(
            new Outcome(
                0,
                "%s: skipped, %s fails on softmax_c.c: error: odd code; %s%n"
                    .formatted(build.kernels, compiler, build.instead)));
    assertThat(libraries()).containsExactly(build.note());
    assertThat(classes().resolve("native").resolve(host()).resolve(build.note()))
        .hasContent(compiler + " fails on softmax_c.c: error: odd code");
    Path failed = classes().resolveSibling("native-objects").resolve(host()).resolve("failed");
    assertThat(failed).exists();
    assertThat(build(build, Map.of()).code()).isZero();
    assertThat(libraries()).hasSize(2);
    assertThat(failed).doesNotExist();
  }

  @ParameterizedTest
  @EnumSource
  void otherPlatformsAreBuiltByTheCompilersThatTheEnvironmentNames(Build build) throws Exception {
    Outcome outcome = build(build, Map.of("CC_WINDOWS_X86_64", compiler.toString()));
    assertThat(outcome.code()).as(outcome.output()).isZero();
    assertThat(outcome.output().lines())
        .hasSize(2)
        .element(1)
        .asString()
        .startsWith(build.kernels + ": built for windows-x86_64 by " + compiler + ":");
    String library = build.library.replace(".so", ".dll");
    assertThat(libraries("windows-x86_64")).containsExactly(library, library + ".sha256");
    assertThat(libraries()).containsExactly(build.library, build.library + ".sha256");
    Map<String, String> again = Map.of("CC_WINDOWS_X86_64", compiler.toString());
    assertThat(build(build, again)).as("nothing to do").isEqualTo(new Outcome(0, ""));
    assertThat(build(build, Map.of())).as("none wanted any more").isEqualTo(new Outcome(0, ""));
    assertThat(libraries("windows-x86_64")).containsExactly(build.note());
  }

  @ParameterizedTest
  @EnumSource
  void aCrossCompilerThatFailsLeavesTheLibraryOfThisMachineAndALine(Build build) throws Exception {
    Path cross = Files.writeString(folder.resolve("cross"), COMPILER.replace("FAKE_", "CROSS_"));
    assertThat(cross.toFile().setExecutable(true)).isTrue();
    for (String[] expected :
        new String[][] {
          {"CROSS_REFUSES", "softmax_c.c", cross + " fails on softmax_c.c: error: odd code"},
          {"CROSS_REFUSES", "probe.c", "the C compiler cross fails on a file of three lines"},
          {
            "CROSS_LACKS",
            "unaligned-vector",
            "the assembler of "
                + cross
                + " has no -muse-unaligned-vector-move, which binutils have from 2.38 on"
          },
        }) {
      String reason = expected[2].replace("compiler cross", "compiler " + cross);
      Outcome outcome =
          build(build, Map.of("CC_WINDOWS_X86_64", cross.toString(), expected[0], expected[1]));
      assertThat(outcome.code()).as(outcome.output()).isZero();
      assertThat(outcome.output())
          .endsWith(build.kernels + ": skipped for windows-x86_64, " + reason + "\n");
      assertThat(libraries("windows-x86_64")).containsExactly(build.note());
      assertThat(classes().resolve("native/windows-x86_64").resolve(build.note()))
          .hasContent(reason);
      assertThat(libraries()).containsExactly(build.library, build.library + ".sha256");
    }
  }

  @Test
  void aCrossCompilerThatIsNamedAndNotThereIsALine() throws Exception {
    String missing = folder.resolve("missing").toString();
    assertThat(build(Build.ENGINE, Map.of("CC_WINDOWS_X86_64", missing)).output())
        .endsWith(": skipped for windows-x86_64, no C compiler (" + missing + ")\n");
  }

  @ParameterizedTest
  @EnumSource
  void aCompilerThatFailsIsAsGoodAsNone(Build build) throws Exception {
    Path broken = Files.createDirectory(folder.resolve("broken"));
    for (String name : List.of("gcc", "cc", "clang")) {
      Path fails = Files.writeString(broken.resolve(name), "#!/bin/sh\necho odd >&2\nexit 4\n");
      assertThat(fails.toFile().setExecutable(true)).isTrue();
    }
    Outcome outcome =
        build(
            build,
            Map.of(
                "CC",
                folder.resolve("missing").toString(),
                "PATH",
                broken + ":" + System.getenv("PATH")));
    assertThat(outcome)
        .isEqualTo(
            new Outcome(
                0,
                "%s: skipped, the C compiler clang fails on a file of three lines; %s%n"
                    .formatted(build.kernels, build.instead)));
    assertThat(libraries()).containsExactly(build.note());
    assertThat(classes().resolve("native").resolve(host()).resolve(build.note()))
        .hasContent("the C compiler clang fails on a file of three lines");
    assertThat(classes().resolveSibling("native-objects").resolve(host()).resolve("failed"))
        .doesNotExist();
  }

  private Outcome emulator(String compiler) throws Exception {
    Path root = Path.of(System.getProperty("ivit.root"));
    Path emulation = folder.resolve("emulation");
    if (!Files.exists(emulation)) {
      copy(root.resolve("ivit-core/src/test/cuda"), emulation);
    }
    ProcessBuilder process =
        new ProcessBuilder(
            "sh",
            emulation + "/build.sh",
            folder.resolve("target/emulator.so").toString(),
            emulation + "/registry.cpp",
            emulation.toString(),
            folder.resolve("engine").toString());
    process.environment().put("CXX", compiler);
    return outcome(process);
  }

  @Test
  void soMayTheFolderOfTheEmulatedCudaKernels() throws Exception {
    assertThat(emulator(compiler.toString()))
        .isEqualTo(new Outcome(0, "CUDA emulator: built by " + compiler + "\n"));
    assertThat(folder.resolve("target/emulator.so")).exists();
  }

  /** So that a mistake in the C does not pass for a machine without a compiler. */
  @Test
  void theKernelsOfThisCheckoutCompile() throws IOException {
    Path root = Path.of(System.getProperty("ivit.root"));
    for (String module : List.of("ivit-core", "ivit-train")) {
      Path objects = root.resolve(module).resolve("target/native-objects");
      if (Files.exists(objects)) {
        try (Stream<Path> files = Files.walk(objects)) {
          assertThat(files).noneMatch(file -> file.endsWith("failed"));
        }
      }
    }
  }
}
