package org.ivit.train.nd4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Properties;
import org.ivit.core.InputException;
import org.ivit.core.io.UserCache;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LibraryFolderTest {
  private static final List<String> PROPERTIES =
      List.of(LibraryFolder.PROPERTY, "user.home", "java.io.tmpdir", UserCache.PROPERTY);

  @TempDir private Path folder;
  private final Properties before = new Properties();

  /** Folders below a file can be made by nobody. */
  @BeforeEach
  void nothingCanBeWritten() throws IOException {
    PROPERTIES.stream()
        .filter(name -> System.getProperty(name) != null)
        .forEach(name -> before.setProperty(name, System.getProperty(name)));
    Path file = Files.createFile(folder.resolve("file"));
    System.clearProperty(LibraryFolder.PROPERTY);
    System.setProperty("user.home", file.resolve("home").toString());
    System.setProperty("java.io.tmpdir", file.resolve("tmp").toString());
    System.setProperty(UserCache.PROPERTY, file.resolve("cache").toString());
  }

  @AfterEach
  void restore() {
    for (String name : PROPERTIES) {
      if (before.containsKey(name)) {
        System.setProperty(name, before.getProperty(name));
      } else {
        System.clearProperty(name);
      }
    }
  }

  @Test
  void aFolderOfJavaCppsThatCanBeWrittenIsLeftToIt() {
    System.setProperty("user.home", folder.toString());
    LibraryFolder.require();
    assertThat(System.getProperty(LibraryFolder.PROPERTY)).isNull();
    System.setProperty(LibraryFolder.PROPERTY, folder.resolve("named").toString());
    LibraryFolder.require();
    assertThat(System.getProperty(LibraryFolder.PROPERTY))
        .isEqualTo(folder.resolve("named").toString());
  }

  @Test
  void aHomeThatIsNotKnownIsPassedOver() {
    System.setProperty("user.home", "?");
    System.setProperty("java.io.tmpdir", folder.toString());
    LibraryFolder.require();
    assertThat(System.getProperty(LibraryFolder.PROPERTY))
        .isEqualTo(folder.resolve(".javacpp-" + System.getProperty("user.name")) + "/cache");
    assertThat(Path.of("?")).doesNotExist();
  }

  @Test
  void elseItGetsOneInTheCache() {
    System.setProperty(UserCache.PROPERTY, folder.resolve("cache").toString());
    LibraryFolder.require();
    assertThat(System.getProperty(LibraryFolder.PROPERTY))
        .isEqualTo(folder.resolve("cache/javacpp").toString());
  }

  @Test
  void whereNoneCanBeWrittenALineNamesThemAndSaysWhatToDo() {
    assertThatThrownBy(LibraryFolder::require)
        .isInstanceOf(InputException.class)
        .hasMessageContainingAll(
            folder.resolve("file/home/.javacpp/cache") + " nor ",
            folder.resolve("file/tmp") + "/.javacpp-",
            folder.resolve("file/cache/javacpp") + ": make one of them writable",
            "XDG_CACHE_HOME=DIR")
        .hasMessageNotContaining("\n");
    assertThat(System.getProperty(LibraryFolder.PROPERTY)).isNull();
  }
}
