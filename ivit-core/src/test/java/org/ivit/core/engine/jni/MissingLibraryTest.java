package org.ivit.core.engine.jni;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.net.MalformedURLException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.ivit.core.io.Digests;
import org.ivit.core.testing.ClearedProperties;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is said on each platform of a jar that has no library for it, or one that does not load. */
class MissingLibraryTest {
  private static final Platform WINDOWS = new Platform("windows", "x86_64");

  @TempDir private Path folder;
  private final List<String> loaded = new ArrayList<>();

  @RegisterExtension
  final ClearedProperties properties = new ClearedProperties(NativeLibrary.CACHE);

  /** Stands for a class of the jar. */
  static final class Resident {}

  /** Has the files of a folder for resources, and a class of its own. */
  private static final class Jar extends ClassLoader {
    private final Path files;

    Jar(Path files) {
      super(Resident.class.getClassLoader());
      this.files = files;
    }

    Class<?> resident() throws IOException {
      String name = Resident.class.getName();
      try (InputStream in = super.getResourceAsStream(name.replace('.', '/') + ".class")) {
        byte[] code = in.readAllBytes();
        return defineClass(name, code, 0, code.length);
      }
    }

    @Override
    public URL getResource(String name) {
      Path file = files.resolve(name);
      try {
        return Files.exists(file)
            ? file.toUri().toURL()
            : name.startsWith("native/") ? null : super.getResource(name);
      } catch (MalformedURLException e) {
        throw new AssertionError(e);
      }
    }
  }

  @BeforeEach
  void cacheInTheFolder() {
    System.setProperty(NativeLibrary.CACHE, folder.resolve("cache").toString());
  }

  private NotLoaded load(Platform platform, Consumer<String> load) throws IOException {
    return NativeLibrary.load(
        platform, new Jar(folder.resolve("jar")).resident(), NativeLibrary.NAME, load);
  }

  private Path library(Platform platform) throws IOException {
    Path file = folder.resolve("jar" + platform.resource(NativeLibrary.NAME));
    Files.createDirectories(file.getParent());
    Files.writeString(file, "code for " + platform);
    Files.writeString(
        file.resolveSibling(file.getFileName() + ".sha256"), Digests.file(file) + "\n");
    return file;
  }

  @ParameterizedTest
  @CsvSource(
      nullValues = "nothing",
      value = {
        "linux, x86_64, a build on this machine with a C compiler has them (mvn package)",
        "linux, riscv64, a build on this machine with a C compiler has them (mvn package)",
        "darwin, aarch64, a build on this machine with a C compiler has them (mvn package)",
        "windows, x86_64, a build on Linux with x86_64-w64-mingw32-gcc has them (mvn package)",
        "windows, aarch64, nothing",
      })
  void isSaidWithWhatToDo(String os, String processor, String remedy) throws IOException {
    NotLoaded missing = load(new Platform(os, processor), loaded::add);
    String reason = "no native kernels for " + os + "-" + processor + " in this jar";
    assertThat(missing).isEqualTo(new NotLoaded(reason, remedy));
    assertThat(missing.line()).isEqualTo(remedy == null ? reason : reason + "; " + remedy);
    assertThat(loaded).isEmpty();
  }

  @Test
  void isExplainedByWhatTheBuildWroteDownForThisPlatform() throws IOException {
    for (String platform : List.of("linux-x86_64", "windows-x86_64")) {
      Path note = folder.resolve("jar/native/" + platform + "/libivit.skipped");
      Files.createDirectories(note.getParent());
      Files.writeString(note, "no compiler for " + platform + "\n");
    }
    assertThat(load(WINDOWS, loaded::add).reason())
        .isEqualTo(
            "no native kernels for windows-x86_64 in this jar: when it was built, no compiler for"
                + " windows-x86_64");
  }

  @Test
  void theLibraryOfThePlatformIsTakenOfSeveral() throws IOException {
    library(new Platform("linux", "x86_64"));
    Path dll = library(WINDOWS);
    String digest = Digests.file(dll);
    assertThat(load(WINDOWS, loaded::add)).isNull();
    Path copy = folder.resolve("cache/libivit-" + digest.substring(0, 16) + ".dll");
    assertThat(loaded).containsExactly(copy.toString());
    assertThat(Digests.file(copy)).isEqualTo(digest);
  }

  @Test
  void aLibraryThatTheSystemRefusesMayDoElsewhere() throws IOException {
    library(WINDOWS);
    NotLoaded missing =
        load(
            WINDOWS,
            file -> {
              throw new UnsatisfiedLinkError("not from this folder");
            });
    assertThat(missing)
        .isEqualTo(
            new NotLoaded(
                "native kernels do not load: not from this folder",
                "-Divit.cache=DIR names another folder for its copy; a build on Linux with"
                    + " x86_64-w64-mingw32-gcc has them (mvn package)"));
  }

  @Test
  void aDamagedLibraryIsNotLoaded() throws IOException {
    Files.writeString(library(WINDOWS), "something else");
    NotLoaded missing = load(WINDOWS, loaded::add);
    assertThat(missing.remedy()).isNull();
    assertThat(missing.reason())
        .startsWith("native kernels do not load: /native/windows-x86_64/libivit.dll: found SHA-256")
        .endsWith(": a damaged jar");
    assertThat(loaded).isEmpty();
  }

  @Test
  void temporaryCopiesOfEarlierProcessesAreDeleted() throws IOException {
    Path old = copy("ivit-native1");
    Path foreign = copy("ivit-native2");
    Files.writeString(foreign.resolve("other"), "of somebody else");
    Path fresh = copy("ivit-native3");
    Path named = copy("other");
    FileTime yesterday = FileTime.from(Instant.now().minus(Duration.ofDays(1)));
    for (Path one : List.of(old, foreign, named)) {
      Files.setLastModifiedTime(one, yesterday);
    }
    NativeLibrary.deleteLeftovers(folder, "libivit.dll");
    assertThat(old).doesNotExist();
    assertThat(foreign.resolve("other")).exists();
    assertThat(fresh.resolve("libivit.dll")).exists();
    assertThat(named.resolve("libivit.dll")).exists();
  }

  private Path copy(String name) throws IOException {
    Path copy = Files.createDirectory(folder.resolve(name));
    Files.writeString(copy.resolve("libivit.dll"), "code");
    return copy;
  }
}
