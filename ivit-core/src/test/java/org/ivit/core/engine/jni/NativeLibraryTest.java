package org.ivit.core.engine.jni;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.ivit.core.io.Digests;
import org.ivit.core.testing.ClearedProperties;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

class NativeLibraryTest {
  private static final String RESOURCE = Platform.here().resource(NativeLibrary.NAME);

  @TempDir Path folder;

  @RegisterExtension
  final ClearedProperties properties = new ClearedProperties(NativeLibrary.CACHE);

  private String digest;

  @BeforeEach
  void cacheInTheFolder() throws IOException {
    digest = NativeLibrary.digest(NativeLibrary.class, RESOURCE);
    assumeTrue(digest != null, "built without native kernels");
    System.setProperty(NativeLibrary.CACHE, folder.resolve("new").toString());
  }

  private Path copy() throws IOException {
    return NativeLibrary.copy(NativeLibrary.class, RESOURCE, digest);
  }

  @Test
  void copiesTheLibraryOnce() throws IOException {
    Path copy = copy();
    assertThat(Digests.file(copy)).isEqualTo(digest);
    assertThat(copy).isEqualTo(folder.resolve("new/libivit-" + digest.substring(0, 16) + ".so"));
    Object file = Files.readAttributes(copy, "unix:ino").get("ino");
    assertThat(copy()).isEqualTo(copy);
    assertThat(Files.readAttributes(copy, "unix:ino").get("ino")).isEqualTo(file);
    try (Stream<Path> files = Files.list(copy.getParent())) {
      assertThat(files).containsExactly(copy);
    }
  }

  @Test
  void replacesADamagedCopy() throws IOException {
    Path copy = copy();
    Files.writeString(copy, "damaged");
    assertThat(copy()).isEqualTo(copy);
    assertThat(Digests.file(copy)).isEqualTo(digest);
  }

  @Test
  void takesATemporaryFolderWhereTheCacheCannotBeWritten() throws IOException {
    Files.writeString(folder.resolve("new"), "a file, not a folder");
    Path copy = copy();
    assertThat(copy.startsWith(folder)).isFalse();
    assertThat(Digests.file(copy)).isEqualTo(digest);
  }

  @Test
  void refusesALibraryThatIsNotTheOneThatWasBuilt() {
    String other = "0".repeat(64);
    assertThatThrownBy(() -> NativeLibrary.copy(NativeLibrary.class, RESOURCE, other))
        .isInstanceOf(IOException.class)
        .hasMessage(
            RESOURCE + ": found SHA-256 " + digest + ", expected " + other + ": a damaged jar");
  }
}
