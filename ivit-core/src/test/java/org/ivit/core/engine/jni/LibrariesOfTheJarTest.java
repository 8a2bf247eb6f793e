package org.ivit.core.engine.jni;

import java.io.IOException;
import java.nio.file.Path;
import org.ivit.core.testing.LibraryFile;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class LibrariesOfTheJarTest {
  @TempDir Path folder;

  @ParameterizedTest
  @MethodSource("org.ivit.core.testing.LibraryFile#platforms")
  void areOfTheirPlatformsWithEveryMethodOfTheEngine(String platform) throws IOException {
    LibraryFile.check(platform, "libivit", NativeKernels.class, folder.resolve("library"));
  }
}
